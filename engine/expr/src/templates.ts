import type { Constant } from './tree.ts';

/** What a `{name}` of a filter stands for; in lists as deep as the client sent them. */
export type TemplateValue = Constant | readonly TemplateValue[];

/** `expr_template_values` of a request, by name. Values that no `{name}` asks for are ignored. */
export type TemplateValues = ReadonlyMap<string, TemplateValue>;
