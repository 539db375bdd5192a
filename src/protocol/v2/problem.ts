import type { z } from 'zod';

/**
 * What is wrong with a payload, for the person who writes a client: `limit: Too big: …`. Field names are those of
 * our schemas and the texts say types and bounds, so nothing in it comes from the other end.
 */
export function firstProblem(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'it is not as described';
  const field = issue.path.join('.');
  return field === '' ? issue.message : `${field}: ${issue.message}`;
}
