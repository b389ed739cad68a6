export { formatJsonPath, parseJsonPath } from '@elanus/model';
