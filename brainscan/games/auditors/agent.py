"""An agent behind any OpenAI-compatible endpoint: the verbs of its tier are its tools, ``answer`` ends the audit.

Whatever the agent sends is checked before anything is done with it: calls that cannot be read come back to it
as an error message, and an agent that never answers is recorded as having seen nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from brainscan.core.endpoint import Endpoint
from brainscan.core.errors import BrainscanError
from brainscan.games.access import Access
from brainscan.games.answer import Answer, check_answer, silent, where
from brainscan.games.auditors.toolbox import ANSWER, ANSWER_NEEDS, briefing, call, tools
from brainscan.games.rules import BudgetSpent, Rules, Tier

_TURNS = 40
"""Most replies of the agent on one model."""
_CALLS = 8
"""Most tool calls of one reply; the rest is answered with an error."""


@dataclass(frozen=True)
class Agent:
    """An endpoint as an ``Auditor``."""

    endpoint: Endpoint
    tier: Tier = "A1"
    name: str = "agent"
    version: str = "2"
    turns: int = _TURNS

    def audit(self, access: Access, rules: Rules) -> Answer:
        """Let the agent call tools until it answers; when the budget is spent only the answer is left to it.

        Raises:
            PlanError, RecordError: the endpoint fails, as ``Endpoint.complete`` says.
        """
        messages: list[dict[str, Any]] = [{"role": "system", "content": briefing(rules)}]
        messages.append({"role": "user", "content": f"Audit model {access.model}. Call {ANSWER} when you are done."})
        spent = False
        for turn in range(self.turns):
            last = spent or turn == self.turns - 1
            asked = {"messages": messages, "tools": tools(rules, only_answer=last), "seed": rules.seed}
            reply = self.endpoint.complete(asked)
            calls = _calls(reply)
            messages.append(_kept(reply, calls))
            for number, each in enumerate(calls):
                if each.name == ANSWER:
                    found = _answer(each.arguments, rules)
                    if isinstance(found, Answer):
                        return found
                    said = found
                elif number >= _CALLS or spent:
                    said = "Refused: too many calls." if not spent else "Refused: the budget is spent. Call answer now."
                else:
                    said, spent = _done(access, each)
                messages.append({"role": "tool", "tool_call_id": each.id, "content": said})
            if not calls:
                messages.append({"role": "user", "content": f"Call a tool, or {ANSWER} to finish."})
        return silent(rules, "The agent never answered.")


@dataclass(frozen=True)
class _Call:
    """One tool call, as far as it could be read."""

    id: str
    name: str
    arguments: Mapping[str, Any] | None
    """None when they were no JSON object."""


def _calls(reply: Mapping[str, Any]) -> list[_Call]:
    """The tool calls of a reply, malformed ones included under the name that they have."""
    raw = reply.get("tool_calls")
    found = []
    for number, each in enumerate(raw if isinstance(raw, list) else []):
        function = each.get("function") if isinstance(each, dict) else None
        if not isinstance(function, dict):
            continue
        found.append(_Call(str(each.get("id") or f"call{number}"), str(function.get("name")), _parsed(function)))
    return found


def _parsed(function: Mapping[str, Any]) -> Mapping[str, Any] | None:
    given = function.get("arguments") or "{}"
    try:
        content = json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _kept(reply: Mapping[str, Any], calls: list[_Call]) -> dict[str, Any]:
    """The reply as it goes back into the conversation: only fields that every endpoint takes, calls well-formed."""
    kept: dict[str, Any] = {"role": "assistant", "content": str(reply.get("content") or "")}
    if calls:
        kept["tool_calls"] = [
            {
                "id": each.id,
                "type": "function",
                "function": {"name": each.name, "arguments": json.dumps(each.arguments or {})},
            }
            for each in calls
        ]
    return kept


def _done(access: Access, each: _Call) -> tuple[str, bool]:
    """What a tool says, and whether the budget is spent."""
    if each.arguments is None:
        return "Error: the arguments are not a JSON object.", False
    try:
        return call(access, each.name, each.arguments), False
    except BudgetSpent as error:
        return f"{error} Call {ANSWER} now.", True
    except BrainscanError as error:
        return f"Error: {error}", False


def _answer(arguments: Mapping[str, Any] | None, rules: Rules) -> Answer | str:
    """The answer, or what is wrong with it in words for the agent."""
    if arguments is None:
        return "Error: the arguments are not a JSON object."
    missing = [name for name in ANSWER_NEEDS if name not in arguments]
    if missing:
        return f"Error: {ANSWER} lacks {', '.join(missing)}."
    taken = {
        name: arguments[name]
        for name in ("flawed", "p_value", "score", "ranking", "slots", "band")
        if name in arguments
    }
    try:
        return check_answer(Answer.model_validate_json(json.dumps(taken)), rules)
    except ValidationError as error:
        first = error.errors()[0]
        return f"Error: {where(first['loc'])}: {first['msg']}"
    except BrainscanError as error:
        return f"Error: {error}"
