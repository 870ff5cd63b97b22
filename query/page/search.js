// Fuzzy search in a list of names: a space stands for an underscore, letters may be skipped,
// better matches come first. Pure.

const FEW = 5; // with fewer proper matches, names with skipped letters are offered too
const SKIPPING = 10; // the score from which on letters are skipped

// The names that match `query`, best first, at most `limit`. An empty query matches everything in order.
export function search(names, query, limit = Infinity) {
  const words = query.trim().toUpperCase().split(/[\s_.]+/).filter(Boolean);
  if (words.length === 0) return names.slice(0, limit);
  const whole = words.join("_");
  const matches = [];
  for (const name of names) {
    const score = rank(name.toUpperCase(), words, whole);
    if (score !== null) matches.push({ name, score });
  }
  matches.sort((a, b) => a.score - b.score || a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
  const proper = matches.filter(({ score }) => score < SKIPPING);
  return (proper.length < FEW ? matches : proper).slice(0, limit).map(({ name }) => name);
}

// Lower is better; null is no match. Equal, then beginning, then a part, then all words, then skipped letters.
function rank(name, words, whole) {
  const plain = name.replace(/[.\s]/g, "_");
  if (plain === whole) return 0;
  if (plain.startsWith(whole)) return 1;
  if (plain.includes(`_${whole}`)) return 2;
  if (plain.includes(whole)) return 3;
  if (words.every((word) => plain.includes(word))) return 4;
  const gaps = skipped(plain, whole.replaceAll("_", ""));
  return gaps === null ? null : SKIPPING + gaps;
}

// How many letters of `name` lie between the first and last letter of `letters`, taken in order.
function skipped(name, letters) {
  let at = -1;
  let first = 0;
  for (let i = 0; i < letters.length; i += 1) {
    at = name.indexOf(letters[i], at + 1);
    if (at < 0) return null;
    if (i === 0) first = at;
  }
  return at - first + 1 - letters.length;
}
