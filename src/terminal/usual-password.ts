/** What servers ask for unless their operator chose another number, which no client is told. */
export const USUAL_CHARACTERS = 8;

/** For people, before they choose a password. */
export const USUALLY = `usually ${USUAL_CHARACTERS} characters or more`;
