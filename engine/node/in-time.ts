// Waiting for work that may never end, like that of a hung disk: for a while, not for ever.

/** False when the work was not done after `limitMs`; it may still end later, unheard. Rejects as the work does. */
export async function inTime(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const done = work.then(() => true);
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}
