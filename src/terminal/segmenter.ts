let segmenter: Intl.Segmenter | undefined;

/** The characters that a person sees. The first call takes some 20 ms, which no command has to spare for plain text. */
export function graphemesIn(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return segmenter.segment(text);
}
