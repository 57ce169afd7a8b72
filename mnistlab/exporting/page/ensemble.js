// The weighted mean of several networks: mnistlab/exporting/ensemble_module.py. What is looked into,
// and by which training images are compared, is the member that counts most, which comes first.
"use strict";

function ensembleOf(members, weights, temperature) {
  const mean = (byMember) => {
    const p = weightedMean(byMember, weights);
    return temperature === 1 ? p : softmax(logsOf(p), temperature);
  };
  const probabilities = (levels) => mean(members.map((member) => member.probabilities(levels)));
  // The mean of the members, then the means of members whose heads are all shuffled.
  const besideShuffled = () => {
    const each = members.map((member) => member.besideShuffled());
    return (levels) => {
      const byMember = each.map((logits) => logits(levels));
      const n = Math.max(...byMember.map((found) => found.length));
      return Array.from({ length: n }, (_, i) => {
        const seen = byMember.map((found, m) =>
          softmax(found[Math.min(i, found.length - 1)], members[m].temperature),
        );
        return logsOf(mean(seen));
      });
    };
  };
  return { ...members[0], probabilities, besideShuffled, temperature };
}
