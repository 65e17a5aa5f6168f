/**
 * Asks until the answer is the expected one: waiting for the event instead of for a time.
 */
export async function until<Answer>(
  ask: () => Promise<Answer>,
  isExpected: (answer: Answer) => boolean,
  bound = 10_000,
): Promise<Answer> {
  const end = Date.now() + bound;
  for (;;) {
    const answer = await ask();
    if (isExpected(answer)) return answer;
    if (Date.now() > end) throw new Error(`the expected answer did not come within ${bound} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
