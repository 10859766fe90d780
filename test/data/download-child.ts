/** Downloads one file in a process of its own: address, path, SHA-256. */
import { download } from '../../lib/data/download.js';

const [url, file, sha256] = process.argv.slice(2) as [string, string, string];
const { cached } = await download(url, file, { sha256, onProgress: () => process.stdout.write('.') });
process.stdout.write(cached ? 'cached\n' : 'downloaded\n');
