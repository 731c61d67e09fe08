/** One promise of a seam or a store; runs under any test runner, and throws when it is broken. */
export interface ContractCase<Subject> {
  /** A sentence that goes on from the subject's name: "refuses what is no token". */
  name: string;
  check(subject: Subject): Promise<void> | void;
}
