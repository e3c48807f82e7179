// What a customer does with OpenAI's own Node SDK, unchanged: OPENAI_BASE_URL and OPENAI_API_KEY name the server; arguments: chat model, encoder.
// Prints a line for each thing that held; the first that does not ends it.
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const [model, encoder] = process.argv.slice(2);
const client = new OpenAI({ maxRetries: 0, timeout: 120_000 });
const messages = [{ role: 'user', content: 'What is a scarf for?' }];

const steps = {
  models: async () => {
    const names = [];
    for await (const each of client.models.list()) names.push(each.id);
    assert(names.includes(model) && names.includes(encoder), names.join());
  },
  streamEqualsWhole: async () => {
    const request = { model, messages, temperature: 0, max_tokens: 24 };
    const whole = await client.chat.completions.create(request);
    let text = '';
    for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) text += chunk.choices[0]?.delta?.content ?? '';
    assert.equal(text, whole.choices[0].message.content);
  },
  streamHelper: async () => {
    const stream = client.chat.completions.stream({ model, messages, temperature: 0, max_tokens: 12, stream_options: { include_usage: true } });
    const final = await stream.finalChatCompletion();
    assert(final.choices[0].message.content.length > 0);
    assert(final.usage.completion_tokens <= 12);
  },
  toolsInAStream: async () => {
    const tools = [{ type: 'function', function: { name: 'get_weather', parameters: {
      type: 'object', properties: { city: { type: 'string', maxLength: 20 } }, required: ['city'], additionalProperties: false } } }];
    const stream = client.chat.completions.stream({
      model, messages: [{ role: 'user', content: 'How is the weather in Paris?' }], tools, tool_choice: 'required', temperature: 0, max_tokens: 64 });
    const final = await stream.finalChatCompletion();
    assert.equal(final.choices[0].finish_reason, 'tool_calls');
    const [call] = final.choices[0].message.tool_calls;
    assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
  },
  jsonSchema: async () => {
    const schema = { type: 'object', properties: { name: { type: 'string' }, warm: { type: 'boolean' } }, required: ['name', 'warm'], additionalProperties: false };
    const answer = await client.chat.completions.create({
      model, messages: [{ role: 'user', content: 'Describe a scarf as JSON.' }], max_tokens: 120,
      response_format: { type: 'json_schema', json_schema: { name: 'garment', strict: true, schema } } });
    const garment = JSON.parse(answer.choices[0].message.content);
    assert.deepEqual(Object.keys(garment).sort(), ['name', 'warm']);
  },
  abort: async () => {
    const stream = await client.chat.completions.create({ model, messages, max_tokens: 400, stream: true });
    let chunks = 0;
    for await (const _ of stream) if (++chunks === 4) break;
    assert.equal(chunks, 4);
  },
  embeddings: async () => {
    const { data } = await client.embeddings.create({ model: encoder, input: 'a warm scarf' });
    assert(data[0].embedding.length > 100);
  },
  responses: async () => {
    const answer = await client.responses.create({ model, input: 'What is a scarf for?', max_output_tokens: 16 });
    assert(answer.output_text.length > 0);
  },
  refusals: async () => {
    await assert.rejects(client.chat.completions.create({ model, messages, temperature: 9 }), (error) => error.status === 400 && error.param === 'temperature');
    await assert.rejects(client.chat.completions.create({ model: 'no-such-model', messages }), (error) => error.status === 404);
  },
};

for (const [name, step] of Object.entries(steps)) {
  await step();
  console.log(`held: ${name}`);
}
