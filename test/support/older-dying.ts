/**
 * An earlier program that is killed in the midst of a transaction: `older-dying.ts <database> <small|large>`. A small one is
 * only in its memory yet, and its journal not begun; a large one has already overwritten pages of the database.
 */
import Database from 'better-sqlite3';

const [path = '', size = ''] = process.argv.slice(2);
const db = new Database(path, { fileMustExist: true });
db.pragma('foreign_keys = OFF');
if (size === 'large') db.pragma('cache_size = 5');
db.exec('BEGIN IMMEDIATE');
if (size === 'large') db.exec("UPDATE agent_runs SET output_summary = 'half'; DELETE FROM agent_runs WHERE id > 30");
else db.exec("UPDATE agent_runs SET host = 'half' WHERE id = 1");
process.kill(process.pid, 'SIGKILL');
