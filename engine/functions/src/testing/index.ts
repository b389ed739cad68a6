export { TokenizerStandIn } from './tokenizer-stand-in.ts';
