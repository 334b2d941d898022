"""Ways in which models write a tool call as text: what the tests render and the reader must read back."""

from __future__ import annotations

import json
from collections.abc import Callable

from tools.contract import JsonObject

Render = Callable[[str, JsonObject], str]
KNOWN = ("check_backups", "check_services")


def doubled(text: str) -> str:
    """Braces doubled outside strings."""
    out, quoted, escaped = "", False, False
    for character in text:
        out += character * 2 if character in "{}" and not quoted else character
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
    return out


def bare(name: str, arguments: JsonObject) -> str:
    return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)


def pythonic(name: str, arguments: JsonObject) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


JSON_DIALECTS: dict[str, Render] = {
    "bare": bare,
    "ascii, indented": lambda n, a: json.dumps({"name": n, "arguments": a}, indent=2),
    "parameters": lambda n, a: json.dumps({"name": n, "parameters": a}),
    "args": lambda n, a: json.dumps({"tool": n, "args": a}),
    "arguments first": lambda n, a: json.dumps({"arguments": a, "name": n}),
    "arguments as a string": lambda n, a: json.dumps({"name": n, "arguments": json.dumps(a)}),
    "OpenAI's form": lambda n, a: json.dumps(
        {"id": "1", "type": "function", "function": {"name": n, "arguments": json.dumps(a)}}
    ),
    "tool_calls": lambda n, a: json.dumps({"tool_calls": [{"function": {"name": n, "arguments": a}}]}),
    "list": lambda n, a: f"[{bare(n, a)}]",
    "fenced": lambda n, a: f"```json\n{bare(n, a)}\n```",
    "fenced without a language": lambda n, a: f"```\n{bare(n, a)}\n```",
    "fence not closed": lambda n, a: f"```json\n{bare(n, a)}",
    "doubled braces": lambda n, a: doubled(bare(n, a)),
    "outer braces doubled": lambda n, a: "{" + bare(n, a) + "}",
    "tool_call tag": lambda n, a: f"<tool_call>\n{bare(n, a)}\n</tool_call>",
    "tag not closed": lambda n, a: f"<tool_call>{bare(n, a)}",
    "tools tag": lambda n, a: f"<tools>\n{bare(n, a)}\n</tools>",
    "Mistral": lambda n, a: f"[TOOL_CALLS][{bare(n, a)}]",
    "Llama": lambda n, a: f"<|python_tag|>{json.dumps({'name': n, 'parameters': a})}",
    "Granite": lambda n, a: f"<|tool_call|>[{bare(n, a)}]",
    "Phi": lambda n, a: f"<|tool_call|>{bare(n, a)}<|/tool_call|>",
    "function tag": lambda n, a: f"<function={n}>{json.dumps(a)}</function>",
    "Python literal": lambda n, a: repr({"name": n, "arguments": a}),
    "trailing commas": lambda n, a: bare(n, a)[:-1] + ",}",
    "last brace missing": lambda n, a: bare(n, a)[:-1],
    "both braces missing": lambda n, a: bare(n, a)[:-2] if a else bare(n, a),
    "one brace too many": lambda n, a: bare(n, a) + "}",
    "label": lambda n, a: f"json\n{bare(n, a)}",
}
"""For any name."""

NAMED_DIALECTS: dict[str, Render] = {
    "name and object": lambda n, a: f"{n} {json.dumps(a)}",
    "Mistral, new": lambda n, a: f"[TOOL_CALLS]{n}[ARGS]{json.dumps(a)}",
    "DeepSeek": lambda n, a: (
        f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>{n}\n```json\n{json.dumps(a)}\n```"
        "<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
    ),
    "name as key": lambda n, a: json.dumps({n: a}),
    "Python call": pythonic,
    "Python call, fenced": lambda n, a: f"```tool_code\n{pythonic(n, a)}\n```",
    "Python list": lambda n, a: f"<|tool_call_start|>[{pythonic(n, a)}]<|tool_call_end|>",
}
"""For names of tools that are there."""
