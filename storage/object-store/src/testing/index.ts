export { type S3Server, startRadosgw, whyNoRadosgw } from './radosgw.ts';
