/**
 * A goal and whether it is met.
 *
 * @param comparison '>=' or '<='
 */
export function goal(name, value, comparison, limit) {
  const isMet = comparison === '>=' ? value >= limit : value <= limit;
  return { name, value, comparison, limit, isMeasured: Number.isFinite(value), isMet };
}

const rounded = (value) => value.toFixed(2);

/** One line for the terminal. */
export function lineOf({ name, value, comparison, limit, isMeasured, isMet }) {
  if (!isMeasured) return `  -        ${name}: not measured`;
  return `  ${isMet ? 'met    ' : 'NOT MET'}  ${name}: ${rounded(value)} (${comparison} ${limit})`;
}

/** One row for a Markdown table. */
export function rowOf({ name, value, comparison, limit, isMeasured, isMet }) {
  if (!isMeasured) return [name, '-', `${comparison} ${limit}`, 'not measured'];
  return [name, rounded(value), `${comparison} ${limit}`, isMet ? 'met' : '**not met**'];
}
