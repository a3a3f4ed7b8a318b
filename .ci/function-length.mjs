// The rule max-lines-per-function of ESLint, without the callbacks of suites: a `describe` holds as many tests as it has.
import { builtinRules } from 'eslint/use-at-your-own-risk';

const base = builtinRules.get('max-lines-per-function');

function isSuite(node) {
  const call = node.parent;
  if (call?.type !== 'CallExpression' || !call.arguments.includes(node)) return false;
  let { callee } = call;
  while (callee.type === 'MemberExpression' || callee.type === 'CallExpression') {
    callee = callee.type === 'MemberExpression' ? callee.object : callee.callee;
  }
  return callee.type === 'Identifier' && /^(describe|onLinux|withMongo)/.test(callee.name);
}

const rule = {
  meta: base.meta,
  create(context) {
    const report = (problem) => {
      if (!isSuite(problem.node)) context.report(problem);
    };
    return base.create(Object.create(context, { report: { value: report } }));
  },
};

export const functionLength = { rules: { max: rule } };
