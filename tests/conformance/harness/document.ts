export interface Example {
  readonly heading: string;
  readonly program: string;
  readonly output: string;
}

/** Each block in `language`, the block in `outputLanguage` that follows it, and the heading above both. */
export function examplesOf(document: string, language: string, outputLanguage: string): readonly Example[] {
  const block = (name: string) => `\`\`\`${name}\\n([\\s\\S]*?)^\`\`\``;
  const parts = new RegExp(`^## (.*)$|^${block(language)}\\n\\n${block(outputLanguage)}$`, 'gm');
  const examples: Example[] = [];
  let heading = '';
  for (const [, title, program, output] of document.matchAll(parts)) {
    if (title !== undefined) heading = title;
    else examples.push({ heading, program: program!, output: output! });
  }
  return examples;
}

/** How many blocks in `language` a document has: none may be without its output. */
export function blocksIn(document: string, language: string): number {
  return document.split('\n').filter((line) => line === `\`\`\`${language}`).length;
}
