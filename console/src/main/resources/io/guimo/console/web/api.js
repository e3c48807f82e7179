// The owner's API and what the playground calls, one function for each address. Shapes are the server's own (see /openapi.json).
import { createContext } from './preact.js';
import { useContext } from './hooks.js';
import { Refused, send } from './session.js';

export const Owner = createContext(null);

export const useOwner = () => useContext(Owner);

const query = (parameters) => {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return given.length ? `?${new URLSearchParams(given)}` : '';
};

const part = encodeURIComponent;

/** A key that no command had before; crypto.randomUUID is missing where the page comes over plain HTTP from another machine. */
const commandKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, '0')).join('');

/** `onRefusedKey` is called when the server no longer takes the key. */
export const ownerApi = (key, onRefusedKey) => {
  const call = async (method, path, options) => {
    try {
      return await send(key, method, path, options);
    } catch (error) {
      if (error.status === 401) onRefusedKey();
      throw error;
    }
  };
  const get = async (path, signal) => (await call('GET', path, { signal })).json();
  const post = async (path, json) => (await call('POST', path, { json, headers: { 'idempotency-key': commandKey() } })).json();

  return {
    models: (signal) => get('/admin/v1/models', signal),
    model: (name, signal) => get(`/admin/v1/models/${part(name)}`, signal),
    verifyModel: (name, version, signal) => get(`/admin/v1/models/${part(name)}/versions/${version}/verify`, signal),
    organizations: (signal) => get('/admin/v1/organizations?limit=100', signal),
    usageByDay: (signal) => get('/admin/v1/usage/days', signal),
    usageSums: (signal) => get('/admin/v1/usage/sums', signal),
    usage: (parameters, signal) => get(`/admin/v1/usage${query(parameters)}`, signal),
    receipt: (requestId, signal) => get(`/admin/v1/receipts/${part(requestId)}`, signal),
    verifyReceipt: (requestId) => post(`/admin/v1/receipts/${part(requestId)}/verify`, {}),
    ledger: (signal) => get('/admin/v1/ledger/verify', signal),
    invoices: (parameters, signal) => get(`/admin/v1/invoices${query(parameters)}`, signal),
    invoice: (organization, id, signal) => get(`/admin/v1/invoices/${part(id)}${query({ organization })}`, signal),
    invoicePdf: async (organization, id) => (await call('GET', `/admin/v1/invoices/${part(id)}/pdf${query({ organization })}`)).blob(),
    economics: (signal) => get('/admin/v1/economics', signal),
    plans: (signal) => get('/admin/v1/plans', signal),
    subscriptions: (organization, signal) => get(`/admin/v1/organizations/${part(organization)}/subscriptions`, signal),
    subscribe: (organization, plan) => post(`/admin/v1/organizations/${part(organization)}/subscriptions`, { plan }),
    setCreditLine: (organization, amount) => post(`/admin/v1/organizations/${part(organization)}/credit-line`, { amount }),
    keys: (organization) => get(`/admin/v1/organizations/${part(organization)}/keys${query({ limit: 100 })}`),
    issueKey: (organization, name) => post(`/admin/v1/organizations/${part(organization)}/keys`, { name }),
    /** Goes out even while the page is being closed. */
    revokeKey: (organization, id) => call('DELETE', `/admin/v1/organizations/${part(organization)}/keys/${part(id)}`, { keepalive: true }),
  };
};

/** The JSON of each server-sent event, until the one that says that the stream is done. Comments keep a connection alive and are skipped. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Refused(0, 'unreachable', 'the stream broke off', null);
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith('data:')) continue;
      const data = line.slice('data:'.length).trim();
      if (data === '[DONE]') return;
      yield JSON.parse(data);
    }
  }
}

/** The customers' API, called as any customer calls it. Answers are `{ body, requestId }`. */
export const customerApi = (secret) => {
  const call = async (path, options) => {
    const answer = await send(secret, 'POST', path, options);
    return { body: await answer.json(), requestId: answer.headers.get('x-request-id') };
  };
  return {
    model: async (name, signal) => (await send(secret, 'GET', `/v1/models/${part(name)}`, { signal })).json(),
    labels: (model, photo) => {
      const body = new FormData();
      body.append('file', photo);
      return call(`/v1/predict/${part(model)}`, { body });
    },
    /** A streamed answer: `onBegin(requestId)`, then `onChunk(chunk)` for each part. Resolves at its end. */
    chat: async (request, { signal, onBegin, onChunk }) => {
      const answer = await send(secret, 'POST', '/v1/chat/completions', { json: { ...request, stream: true }, signal });
      onBegin(answer.headers.get('x-request-id'));
      for await (const chunk of events(answer.body)) {
        if (chunk.error) throw new Refused(answer.status, chunk.error.code ?? chunk.error.type, chunk.error.message, answer.headers.get('x-request-id'));
        onChunk(chunk);
      }
    },
    recommendations: (model, items, limit) => call('/v1/recommendations', { json: { model, items, limit } }),
    search: (collection, text, limit) => call('/v1/search', { json: { collection, query: text, limit } }),
  };
};
