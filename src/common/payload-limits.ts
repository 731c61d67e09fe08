/**
 * The settings that judge payloads before they reach a feature; provided by `ConfigModule`, since
 * this folder reads none.
 */
export abstract class PayloadLimits {
  /** Keys of a message's `content` on all levels (`MAX_CONTENT_KEYS`). */
  abstract readonly maxContentKeys: number;
  /** Items of a page (`MAX_PAGE_SIZE`). */
  abstract readonly maxPageSize: number;
}
