"""What a customer does with OpenAI's own Python SDK, unchanged: OPENAI_BASE_URL and OPENAI_API_KEY name the server; arguments: chat model, encoder.

Prints a line for each thing that held; the first that does not ends it with a traceback.
"""
import json
import math
import sys

import openai
from openai import OpenAI
from pydantic import BaseModel

CHAT, ENCODER = sys.argv[1:3]
client = OpenAI(max_retries=0, timeout=120)
QUESTION = [{"role": "system", "content": "You answer in one sentence."}, {"role": "user", "content": "What is a scarf for?"}]


def models():
    names = [model.id for model in client.models.list()]
    assert CHAT in names and ENCODER in names, names
    assert client.models.retrieve(CHAT).id == CHAT


def conversation():
    messages = list(QUESTION)
    for turn in range(3):
        answer = client.chat.completions.create(model=CHAT, messages=messages, temperature=0, max_tokens=24, seed=1)
        choice = answer.choices[0]
        assert choice.message.role == "assistant" and choice.finish_reason in ("stop", "length"), choice
        assert 1 <= answer.usage.completion_tokens <= 24, answer.usage
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
        messages += [{"role": "assistant", "content": choice.message.content}, {"role": "user", "content": f"And in winter {turn}?"}]
    assert answer.usage.prompt_tokens_details.cached_tokens > 0, "the conversation's beginning was read again"


def stream_equals_whole():
    arguments = dict(model=CHAT, messages=QUESTION, temperature=0, max_tokens=24)
    whole = client.chat.completions.create(**arguments)
    text, finish, usage = "", None, None
    for chunk in client.chat.completions.create(**arguments, stream=True, stream_options={"include_usage": True}):
        if chunk.usage:
            usage = chunk.usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    assert text == whole.choices[0].message.content, (text, whole)
    assert finish == whole.choices[0].finish_reason
    assert usage.completion_tokens == whole.usage.completion_tokens


def several_with_logprobs():
    answer = client.chat.completions.create(
        model=CHAT, messages=QUESTION, n=3, temperature=1, seed=7, max_tokens=8, logprobs=True, top_logprobs=4)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    for choice in answer.choices:
        for token in choice.logprobs.content:
            assert token.logprob <= 0 and len(token.top_logprobs) == 4, token
            assert bytes(token.bytes).decode("utf-8", "replace") is not None


def tools():
    weather = {"type": "function", "function": {
        "name": "get_weather", "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}}, "required": ["city"], "additionalProperties": False}}}
    messages = [{"role": "user", "content": "How is the weather in Paris?"}]
    answer = client.chat.completions.create(
        model=CHAT, messages=messages, tools=[weather], tool_choice="required", temperature=0, max_tokens=64)
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls", choice
    call = choice.message.tool_calls[0]
    assert call.function.name == "get_weather" and isinstance(json.loads(call.function.arguments)["city"], str), call
    messages += [choice.message, {"role": "tool", "tool_call_id": call.id, "content": '{"sky": "blue"}'}]
    after = client.chat.completions.create(model=CHAT, messages=messages, tools=[weather], tool_choice="none", max_tokens=16)
    assert after.choices[0].message.content


class Garment(BaseModel):
    name: str
    warm: bool
    sizes: list[int]


def json_schema():
    answer = client.chat.completions.parse(
        model=CHAT, messages=[{"role": "user", "content": "Describe a scarf as JSON."}], response_format=Garment, max_tokens=160)
    assert isinstance(answer.choices[0].message.parsed, Garment), answer


def embeddings():
    answer = client.embeddings.create(model=ENCODER, input=["a warm scarf", "winter clothes"])
    assert len(answer.data) == 2
    for item in answer.data:
        assert math.isclose(math.sqrt(sum(value * value for value in item.embedding)), 1, abs_tol=1e-4)


def completions():
    answer = client.completions.create(model=CHAT, prompt="Once upon a time", max_tokens=8, temperature=0)
    assert answer.choices[0].text and answer.usage.completion_tokens <= 8


def responses():
    answer = client.responses.create(model=CHAT, input="What is a scarf for?", max_output_tokens=16, temperature=0)
    assert answer.output_text and answer.usage.output_tokens <= 16
    assert client.responses.retrieve(answer.id).output_text == answer.output_text
    more = client.responses.create(model=CHAT, input="And gloves?", previous_response_id=answer.id, max_output_tokens=16)
    assert more.usage.input_tokens > answer.usage.input_tokens
    kinds = [event.type for event in client.responses.create(model=CHAT, input="Hello", max_output_tokens=8, stream=True)]
    assert kinds[0] == "response.created" and kinds[-1] in ("response.completed", "response.incomplete"), kinds
    client.responses.delete(answer.id)
    try:
        client.responses.retrieve(answer.id)
        raise AssertionError("it was deleted")
    except openai.NotFoundError:
        pass


def refusals():
    for arguments, param in [
        (dict(temperature=9), "temperature"),
        (dict(max_tokens=-1), "max_tokens"),
        (dict(messages=[]), "messages"),
        (dict(messages=[{"role": "wizard", "content": "x"}]), "messages"),
    ]:
        try:
            client.chat.completions.create(**{**dict(model=CHAT, messages=QUESTION), **arguments})
            raise AssertionError(f"taken: {arguments}")
        except openai.BadRequestError as refused:
            assert param in (refused.param or ""), refused
    try:
        client.chat.completions.create(model="no-such-model", messages=QUESTION)
        raise AssertionError("there is no such model")
    except openai.NotFoundError:
        pass


for step in [models, conversation, stream_equals_whole, several_with_logprobs, tools, json_schema, embeddings, completions, responses, refusals]:
    step()
    print("held:", step.__name__, flush=True)
