// A small server of the Fediverse made with Fedify, which shares no code with Passerelle. It meets a running
// gateway and does what the test on its standard input says, one JSON document a line:
//
//   {"do": "read", "url"}      fetches a document as JSON-LD; is it what it says, and does its proof hold?
//   {"do": "follow", "object"} posts a Follow to the gateway's inbox; {"do": "undo"} takes it back
//   {"do": "inbox"}            what arrived, signatures verified by Fedify
//   {"do": "end"}              the transcript: every request both ways, as it went over the wire
//
// Every answer is one line. The contexts that Fedify does not bring come from this repository: nothing but
// the gateway is asked over the network.
import dns from "node:dns";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import {
  createFederation, generateCryptoKeyPair, getAuthenticatedDocumentLoader, InProcessMessageQueue, MemoryKvStore,
} from "@fedify/fedify";
import { verifyObject } from "@fedify/fedify/sig";
import { Activity, Endpoints, Follow, Object as ApObject, Person, Undo } from "@fedify/fedify/vocab";
import { getDocumentLoader } from "@fedify/vocab-runtime";

const CONTEXTS = new URL("../../fixtures/contexts/", import.meta.url);
const gateway = new URL(process.argv[2]);

// Every *.localhost is this machine (RFC 6761), also where the system's resolver does not know it.
const lookup = dns.lookup;
dns.lookup = (name, options, done) =>
  name.endsWith(".localhost") ? lookup("127.0.0.1", options, done) : lookup(name, options, done);

// ── what went over the wire ───────────────────────────────────────────────────────────────────────────
const transcript = [];
const direct = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const request = new Request(input, init);
  const body = request.method === "POST" ? await request.clone().text() : "";
  const response = await direct(request);
  const said = await response.clone().text();
  if (!request.url.startsWith(gateway.href) || request.url.endsWith("/ns/v1")) return response;
  transcript.push({
    to: "gateway", method: request.method, url: request.url, headers: Object.fromEntries(request.headers), body,
    status: response.status, answer: said,
  });
  return response;
};

// ── contexts: Fedify's own, then ours, then the gateway's ─────────────────────────────────────────────
const remote = getDocumentLoader({ allowPrivateAddress: true });
const files = {
  "https://w3id.org/security/data-integrity/v2": "data-integrity-v2.jsonld",
  "https://w3id.org/security/v1": "security-v1.jsonld",
  "https://www.w3.org/ns/did/v1": "did-v1.jsonld",
  "https://w3id.org/security/multikey/v1": "multikey-v1.jsonld",
};
const cache = new Map();
async function contexts(url) {
  const file = files[url];
  if (file) {
    const document = JSON.parse(await readFile(new URL(file, CONTEXTS), "utf8"));
    return { contextUrl: null, documentUrl: url, document };
  }
  const loaded = cache.get(url) ?? (await remote(url));
  cache.set(url, loaded);
  return loaded;
}

const federation = createFederation({
  kv: new MemoryKvStore(),
  queue: new InProcessMessageQueue(),
  documentLoaderFactory: () => remote,
  contextLoaderFactory: () => contexts,
  authenticatedDocumentLoaderFactory: (identity) => getAuthenticatedDocumentLoader(identity, { allowPrivateAddress: true }),
  firstKnock: process.argv[3] === "rfc9421" ? "rfc9421" : "draft-cavage-http-signatures-12",
  inboxChallengePolicy: process.argv[3] === "rfc9421" ? { enabled: true } : undefined,
});

const pairs = [await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), await generateCryptoKeyPair("Ed25519")];
federation
  .setActorDispatcher("/users/{identifier}", async (context, identifier) => {
    if (identifier !== "ana") return null;
    const keys = await context.getActorKeyPairs(identifier);
    return new Person({
      id: context.getActorUri(identifier), preferredUsername: identifier, name: "Ana",
      inbox: context.getInboxUri(identifier), endpoints: new Endpoints({ sharedInbox: context.getInboxUri() }),
      publicKey: keys[0].cryptographicKey, assertionMethods: keys.map((key) => key.multikey),
    });
  })
  .setKeyPairsDispatcher((_context, identifier) => (identifier === "ana" ? pairs : []));
const arrived = [];
federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .on(Activity, async (_context, activity) => {
    arrived.push({ type: activity.constructor.name, id: activity.id?.href, object: activity.objectId?.href });
  });

// ── the listener ──────────────────────────────────────────────────────────────────────────────────────
const server = createServer(async (incoming, outgoing) => {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const url = new URL(incoming.url, `http://${incoming.headers.host}`);
  const request = new Request(url, {
    method: incoming.method, headers: incoming.headers, body: incoming.method === "POST" ? body : undefined,
  });
  const response = await federation.fetch(request, { contextData: undefined });
  const said = Buffer.from(await response.arrayBuffer());
  if (incoming.method === "POST" || incoming.url.startsWith("/users/")) {
    transcript.push({
      to: "fedify", method: incoming.method, url: url.href, headers: incoming.headers, body: body.toString("utf8"),
      status: response.status, answer: said.toString("utf8"),
    });
  }
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(said);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const domain = `localhost:${server.address().port}`;
const context = federation.createContext(new URL(`http://${domain}/`), undefined);
federation.startQueue(undefined);

// ── what is asked ─────────────────────────────────────────────────────────────────────────────────────
const recipient = { id: new URL("/actor", gateway), inboxId: new URL("/actor/inbox", gateway) };
let followed = null;

/** Whether the proof of a document holds, for Fedify. */
async function proven(document) {
  const options = { documentLoader: remote, contextLoader: contexts };
  try {
    return (await verifyObject(ApObject, document, options)) != null;
  } catch (error) {
    return String(error);
  }
}

const does = {
  async read({ url }) {
    const { document } = await (await context.getDocumentLoader({ identifier: "ana" }))(url);
    const object = await ApObject.fromJsonLd(document, { documentLoader: remote, contextLoader: contexts });
    const broken = structuredClone(document);
    broken.name = `${broken.name} !`;
    return {
      type: object.constructor.name, id: object.id?.href, name: object.name?.toString(),
      inbox: object.inboxId?.href, followers: object.followersId?.href ?? document.followers,
      keys: object.getPublicKeys ? (await Array.fromAsync(object.getPublicKeys())).length : 0,
      proven: await proven(document), brokenProven: await proven(broken),
    };
  },
  async follow({ object }) {
    followed = new Follow({
      id: new URL(`/follows/${transcript.length}`, `http://${domain}/`), actor: context.getActorUri("ana"),
      object: new URL(object), to: recipient.id,
    });
    await context.sendActivity({ identifier: "ana" }, recipient, followed, { immediate: true });
    return { id: followed.id.href };
  },
  async undo() {
    const undo = new Undo({ id: new URL(`${followed.id.href}/undo`), actor: followed.actorId, object: followed, to: recipient.id });
    await context.sendActivity({ identifier: "ana" }, recipient, undo, { immediate: true });
    return { id: undo.id.href };
  },
  inbox() {
    return { arrived };
  },
  end() {
    setTimeout(() => process.exit(0), 50);
    return { transcript };
  },
};

console.log(JSON.stringify({ domain, actor: context.getActorUri("ana").href }));
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const asked = JSON.parse(line);
    answer = await does[asked.do](asked);
  } catch (error) {
    answer = { error: `${error?.stack ?? error}` };
  }
  console.log(JSON.stringify(answer));
}
