/** Whether somebody says yes to a question: `y` or `yes`. */
export function isYes(answer: string | null): boolean {
  return /^y(es)?$/i.test(answer?.trim() ?? '');
}
