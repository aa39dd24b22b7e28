"""A browser's tab without a browser: the components of a page, and the callbacks that follow from each other.

Which callbacks there are is asked of the server, and their bodies are made of the components it sent, so that nothing
here has to be kept in step with the pages. Callbacks that run in the browser are left out: who uses a tab sets what
these would have set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from benchmarks.soak.connection import Connection, WrongAnswer

#: Where a callback that fails says so.
TOAST = "shell-toast"
Values = Mapping[str, Any]


def text_of(component: object) -> str:
    """All text below a component, in order."""
    if isinstance(component, dict):
        return text_of(component.get("props", {}).get("children"))
    if isinstance(component, list):
        return " ".join(text_of(child) for child in component)
    return "" if component is None else str(component)


class Tab:
    """One tab over one connection.

    Parameters
    ----------
    connection : Connection
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._has_scripts = False
        self._callbacks: list[dict[str, Any]] = []
        self._shell: dict[str, dict[str, Any]] = {}
        self._page: dict[str, dict[str, Any]] = {}

    @property
    def is_open(self) -> bool:
        """Whether a document is here."""
        return bool(self._shell)

    def open(self, path: str, query: Mapping[str, Any] | None = None) -> None:
        """Load the document at an address, with its scripts the first time, and all that follows from it."""
        document = self.connection.get("document", path + _search(query)).decode()
        if not self._has_scripts:
            for source in re.findall(r'<script src="([^"]+)"', document):
                self.connection.get("script", source)
            self._has_scripts = True
        layout = orjson.loads(self.connection.get("layout", "/_dash-layout"))
        self._callbacks = _parse_callbacks(self.connection.get("dependencies", "/_dash-dependencies"))
        self._shell, self._page = _by_id(layout), {}
        self._shell["theme"]["data"] = "light"  # as the document's script has it
        self._answer_all({one["output"]: [] for one in self._callbacks if self._begins(one, self._shell)})
        self.go(path, query)  # the address reports itself when it appears

    def go(self, path: str, query: Mapping[str, Any] | None = None) -> None:
        """Follow a link of the app."""
        self.set({f"_pages_location.{name}": value for name, value in _location(path, query).items()})

    def set(self, values: Values) -> None:
        """Change properties, by ``id.property``, and ask the callbacks that follow."""
        for name, value in values.items():
            id, _, property = name.rpartition(".")
            self._component(id)[property] = value
        self._answer_all(self._following(values, exclude=""))

    def value(self, id: str, property: str) -> Any:
        """A property of a component as it is now."""
        return self._component(id).get(property)

    def _component(self, id: str) -> dict[str, Any]:
        try:
            return self._page[id] if id in self._page else self._shell[id]
        except KeyError:
            raise WrongAnswer(f"the page has no {id}: {text_of(self._shell.get('_pages_content'))[:300]}") from None

    def _answer_all(self, pending: dict[str, list[str]]) -> None:
        """Ask the callbacks by name, each after those whose outputs it takes; with what has changed before each."""
        while pending:
            by_name = {one["output"]: one for one in self._callbacks if one["output"] in pending}
            made = {output for one in by_name.values() for output in one["made"]}
            ready = [name for name, one in by_name.items() if not (one["taken"] & (made - set(one["made"])))] or list(
                by_name
            )
            name = ready[0]
            for other, changed in self._call(by_name[name], pending.pop(name)).items():
                pending[other] = [*pending.get(other, []), *changed]

    def _call(self, callback: Mapping[str, Any], changed: list[str]) -> dict[str, list[str]]:
        """Ask one callback; the callbacks that follow from its answer, with what has changed for them."""
        if not all(self._exists(part) for part in (*callback["outputs"], *callback["inputs"], *callback["state"])):
            return {}
        outputs = [self._spelled(part, value=False) for part in callback["outputs"]]
        posted = {
            "output": callback["output"],
            "outputs": outputs if callback["several"] else outputs[0],
            "inputs": [self._spelled(part) for part in callback["inputs"]],
            "changedPropIds": changed,
            "state": [self._spelled(part) for part in callback["state"]],
        }
        kind = f"callback {callback['made'][0]}"
        status, body = self.connection.ask(kind, "/_dash-update-component", posted)
        if status == 204:
            return {}
        if status != 200:
            raise WrongAnswer(f"{callback['output'][:80]} answers {status}: {body[:300]!r}")
        answer = orjson.loads(body)
        if TOAST in answer.get("sideUpdate", {}):
            raise WrongAnswer(f"{callback['output'][:80]} says: {answer['sideUpdate'][TOAST]}")
        given = answer.get("response")
        if given is None or not given.keys() <= {_id_text(part["id"]) for part in _flat(outputs)}:
            raise WrongAnswer(f"{callback['output'][:80]} answers for {list(given or {})}")
        return self._take(callback["output"], {**answer.get("sideUpdate", {}), **given})

    def _take(self, output: str, given: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
        names: dict[str, None] = {}
        following: dict[str, list[str]] = {}
        for id, properties in given.items():
            for property, value in properties.items():
                names[f"{id}.{property}"] = None
                if isinstance(value, dict) and "__dash_patch_update" in value:
                    continue  # of figures, whose state nobody sends back
                self._component(id)[property] = value
                if property == "children":
                    following |= self._appear(id, value)
        for name, changed in self._following(names, exclude=output).items():
            following[name] = [*following.get(name, []), *changed]
        return following

    def _appear(self, id: str, children: object) -> dict[str, list[str]]:
        components = _by_id(children)
        self._page = components if id == "_pages_content" else {**self._page, **components}
        begun: dict[str, list[str]] = {one["output"]: [] for one in self._callbacks if self._begins(one, components)}
        empty = {f"{_id_text(part['props']['id'])}.data": None for part in _parts(children) if _is_empty_store(part)}
        return begun | self._following(empty, exclude="")

    @staticmethod
    def _begins(callback: Mapping[str, Any], components: Mapping[str, Any]) -> bool:
        """Whether a callback is asked because its outputs have appeared."""
        return not callback["prevent_initial_call"] and any(
            _matches(part["id"], id) for part in callback["outputs"] for id in components
        )

    def _following(self, names: Mapping[str, Any], exclude: str) -> dict[str, list[str]]:
        following: dict[str, list[str]] = {}
        for callback in self._callbacks:
            changed = [name for name in names if any(_matches(taken, name) for taken in callback["taken"])]
            if changed and callback["output"] != exclude:
                following[callback["output"]] = changed
        return following

    def _exists(self, part: Mapping[str, str]) -> bool:
        return "ALL" in part["id"] or part["id"] in self._page or part["id"] in self._shell

    def _spelled(self, part: Mapping[str, str], value: bool = True) -> Any:
        """An input, state or output as it is posted: a list of them where its id is a pattern."""
        if "ALL" not in part["id"]:
            return self._one(part["id"], part["property"], value)
        ids = [id for id in self._page if _matches(part["id"], id)]
        return [self._one(id, part["property"], value) for id in ids]

    def _one(self, id: str, property: str, value: bool) -> dict[str, Any]:
        spelled: dict[str, Any] = {"id": orjson.loads(id) if id.startswith("{") else id, "property": property}
        if value:
            spelled["value"] = self._component(id).get(property)
        return spelled


def _search(query: Mapping[str, Any] | None) -> str:
    return f"?{urlencode(query, doseq=True, quote_via=quote)}" if query else ""


def _location(path: str, query: Mapping[str, Any] | None) -> dict[str, str]:
    return {"pathname": path, "search": _search(query), "href": f"http://127.0.0.1{path}{_search(query)}"}


def _id_text(id: object) -> str:
    return id if isinstance(id, str) else orjson.dumps(id, option=orjson.OPT_SORT_KEYS).decode()


def _flat(outputs: list[Any]) -> Iterator[dict[str, Any]]:
    for output in outputs:
        yield from output if isinstance(output, list) else [output]


@lru_cache(maxsize=4096)
def _pattern(id: str) -> re.Pattern[str]:
    return re.compile(re.escape(id).replace(re.escape('["ALL"]'), "[^,}]+"))


def _matches(pattern: str, name: str) -> bool:
    """Whether an id, or id and property, is the one given or one of its pattern."""
    return pattern == name or ("ALL" in pattern and _pattern(pattern).fullmatch(name) is not None)


@lru_cache(maxsize=4)
def _parse_callbacks(body: bytes) -> list[dict[str, Any]]:
    """The callbacks that a server answers: their parts, and the names of what they take and make."""
    callbacks = [one for one in orjson.loads(body) if not one.get("clientside_function")]
    for one in callbacks:
        one["several"] = one["output"].startswith("..")
        names = one["output"].strip(".").split("...") if one["several"] else [one["output"]]
        one["outputs"] = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in names]
        one["made"] = [name.split("@")[0] for name in names]
        one["taken"] = frozenset(f"{part['id']}.{part['property']}" for part in one["inputs"])
    return callbacks


def _parts(children: object) -> Iterator[dict[str, Any]]:
    """Every component below and including some, in order."""
    waiting = [children]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part[::-1]
        elif isinstance(part, dict) and "props" in part:
            yield part
            waiting.append(part["props"].get("children"))


def _by_id(children: object) -> dict[str, dict[str, Any]]:
    """The properties of every component that has an id."""
    return {_id_text(part["props"]["id"]): part["props"] for part in _parts(children) if "id" in part["props"]}


def _is_empty_store(part: Mapping[str, Any]) -> bool:
    """Whether a component is a Store without data; one reports itself when it appears."""
    return part.get("type") == "Store" and part["props"].get("data") is None
