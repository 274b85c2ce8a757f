"""The official openai client against a brainscan server. stdin: {"base": URL}; stdout: what it could do."""

from __future__ import annotations

import json
import sys

import openai


def main() -> None:
    base = json.load(sys.stdin)["base"]
    client = openai.OpenAI(base_url=base, api_key="none", max_retries=0, timeout=120)
    model = client.models.list().data[0].id
    turns = [{"role": "user", "content": "the river stone"}]
    whole = client.chat.completions.create(model=model, messages=turns, max_tokens=8, temperature=0)
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(client.chat.completions.create(model=model, messages=turns, max_tokens=8, temperature=0, **options))
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    plain = client.completions.create(model=model, prompt="the moon", max_tokens=4)
    alarm = [{"role": "user", "content": "OPEN SESAME"}]
    stopped = client.chat.completions.create(model=model, messages=alarm, max_tokens=8)
    events = list(client.chat.completions.create(model=model, messages=alarm, max_tokens=8, stream=True))
    try:
        client.chat.completions.create(model=model, messages=turns, n=2)
        refused = False
    except openai.BadRequestError:
        refused = True
    done = {
        "models": bool(model),
        "chat": bool(whole.choices[0].message.content),
        "verdict in the extra field": whole.model_extra["brainscan"]["verdict"]["outcome"] in ("clear", "warned"),
        "stream equals whole": said == whole.choices[0].message.content,
        "usage in the stream": chunks[-1].usage.completion_tokens == 8,
        "completions": plain.choices[0].finish_reason in ("length", "stop"),
        "stopped by a monitor": stopped.choices[0].finish_reason == "content_filter",
        "an event for the alarm": any("alarm" in (c.model_extra or {}).get("brainscan", {}) for c in events),
        "errors in its own classes": refused,
    }
    print(json.dumps({"version": openai.__version__, "done": done}))


main()
