// A small client for yaml-language-server: it speaks LSP over the server's standard input and output, as an editor does.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);

// The server asks for these as an editor's settings. The schema store is off: tests use no network.
const settings = {
  yaml: {
    validate: true,
    hover: true,
    completion: true,
    format: { enable: false },
    schemaStore: { enable: false, url: '' },
    kubernetesCRDStore: { enable: false },
    schemas: {},
    customTags: [],
  },
};

// A reply that takes longer than this is a fault; the slowest seen on two busy cores took a tenth of it.
const REPLY_MILLISECONDS = 30_000;

/** A running yaml-language-server. */
export class LanguageServer {
  #process;
  #unread = Buffer.alloc(0);
  #nextId = 1;
  #replies = new Map();
  #diagnostics = new Map();
  #errors = '';
  #ended = null;

  /** Starts the server for the project in the folder `root`. */
  static async start(root) {
    const server = new LanguageServer();
    const program = require.resolve('yaml-language-server/bin/yaml-language-server');
    server.#process = spawn(process.execPath, [program, '--stdio'], { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] });
    server.#process.stdout.on('data', (chunk) => server.#read(chunk));
    server.#process.stderr.on('data', (chunk) => (server.#errors += chunk));
    server.#process.stdin.on('error', () => {});
    server.#process.on('exit', (code, signal) => server.#end(`it ended with ${signal ?? `code ${code}`}`));

    const folder = pathToFileURL(root).href;
    await server.request('initialize', {
      processId: process.pid,
      rootUri: folder,
      workspaceFolders: [{ uri: folder, name: 'project' }],
      capabilities: {
        workspace: { configuration: true, didChangeConfiguration: { dynamicRegistration: true }, workspaceFolders: true },
        textDocument: {
          publishDiagnostics: { relatedInformation: true },
          completion: { completionItem: { documentationFormat: ['markdown', 'plaintext'], snippetSupport: true } },
          hover: { contentFormat: ['markdown', 'plaintext'] },
        },
      },
    });
    server.notify('initialized', {});
    return server;
  }

  /** Opens a document that need not exist as a file, and waits for the server's verdict on it. */
  async open(uri, text) {
    const verdict = this.#within(`diagnostics of ${uri}`, (resolve) => this.#diagnostics.set(uri, resolve));
    this.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'yaml', version: 1, text } });
    return verdict;
  }

  /** What the server offers at a place. */
  async complete(uri, position) {
    const reply = await this.request('textDocument/completion', { textDocument: { uri }, position });
    return Array.isArray(reply) ? reply : (reply?.items ?? []);
  }

  /** The text that the server shows for a place; empty for none. */
  async hover(uri, position) {
    const reply = await this.request('textDocument/hover', { textDocument: { uri }, position });
    const contents = reply?.contents ?? '';
    return typeof contents === 'string' ? contents : (contents.value ?? JSON.stringify(contents));
  }

  request(method, params) {
    const id = this.#nextId++;
    const reply = this.#within(method, (resolve, reject) => this.#replies.set(id, { resolve, reject }));
    this.#send({ id, method, params });
    return reply;
  }

  notify(method, params) {
    this.#send({ method, params });
  }

  async stop() {
    await this.request('shutdown', null);
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.notify('exit');
    await ended;
  }

  #send(message) {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
    this.#process.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.#process.stdin.write(body);
  }

  #read(chunk) {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    for (;;) {
      const headerEnd = this.#unread.indexOf('\r\n\r\n');
      if (headerEnd < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#unread.toString('latin1', 0, headerEnd))?.[1]);
      const bodyEnd = headerEnd + 4 + length;
      if (this.#unread.length < bodyEnd) return;
      const message = JSON.parse(this.#unread.toString('utf8', headerEnd + 4, bodyEnd));
      this.#unread = this.#unread.subarray(bodyEnd);
      this.#receive(message);
    }
  }

  #receive(message) {
    if (message.method === undefined) {
      const waiting = this.#replies.get(message.id);
      this.#replies.delete(message.id);
      if (message.error) waiting?.reject(new Error(`yaml-language-server: ${message.error.message}`));
      else waiting?.resolve(message.result);
    } else if (message.method === 'textDocument/publishDiagnostics') {
      this.#diagnostics.get(message.params.uri)?.(message.params.diagnostics);
    } else if (message.method === 'workspace/configuration') {
      this.#send({ id: message.id, result: message.params.items.map(({ section }) => settings[section] ?? null) });
    } else if (message.id !== undefined) {
      this.#send({ id: message.id, result: null });
    }
  }

  #within(what, start) {
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`yaml-language-server: no reply to ${what}: ${why}\n${this.#errors}`));
      if (this.#ended) return fail(this.#ended);
      const timer = setTimeout(() => fail(`waited ${REPLY_MILLISECONDS} ms`), REPLY_MILLISECONDS);
      const stopTimer = (settle) => (value) => (clearTimeout(timer), settle(value));
      start(stopTimer(resolve), stopTimer(reject));
    });
  }

  #end(why) {
    this.#ended = why;
    for (const { reject } of this.#replies.values()) reject(new Error(`yaml-language-server: ${why}\n${this.#errors}`));
    this.#replies.clear();
  }
}
