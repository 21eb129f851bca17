"""Statements of a test, one after another, as steps for the code and expectations for us."""

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from streams.verify.code.comparison import Splitter
from streams.verify.code.expected import Expected, Relation
from streams.verify.code.literals import NoLiteral, literal
from streams.verify.code.unit_test import SpecError
from streams.verify.sandbox.code_result import Step


@dataclass(frozen=True, kw_only=True)
class Bind:
    """A name gets a value that is written out: sent only where a step uses it."""

    name: str
    source: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Do:
    """A statement that the code has to see."""

    source: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Ask:
    """An expression, and what is expected of it."""

    source: str
    expected: Expected
    line: int


Item: TypeAlias = Bind | Do | Ask


class Block:
    """Reads statements in order; ``items`` is what they amount to."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._literals: dict[str, Any] = {}
        self._imported: set[str] = set()

    def copy(self) -> "Block":
        """A block that goes on from here."""
        other = Block()
        other.items = list(self.items)
        other._literals = dict(self._literals)
        other._imported = set(self._imported)
        return other

    def assign(self, name: str, source: str) -> None:
        """Give a name to what the code calls by another."""
        self.items.append(Do(source=f"{name} = {source}", line=0))

    def read(self, statements: Sequence[ast.stmt]) -> None:
        """Take these statements in; raises SpecError with the line."""
        for statement in statements:
            try:
                self._read(statement)
            except SpecError as error:
                raise SpecError(f"line {statement.lineno}: {error}") from None

    def _read(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case ast.Assert(test=ast.Constant(value=True)):
                pass  # HumanEval's place for a message
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                self._import(statement, names)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._assign(statement, name, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
                self._assign(statement, name, value)
            case ast.Assign(value=value) | ast.Expr(value=value):
                self._do(statement, value)
            case ast.Assert(test=test):
                self._ask(statement, *self._splitter().split(test))
            case ast.With(items=[item], body=[ast.Expr(value=value)]):
                raised = Expected(relation=Relation.RAISES, value=_raised(item.context_expr))
                self._ask(statement, value, raised)
            case _:
                raise SpecError(
                    f"{type(statement).__name__} cannot be split into calls and expected values"
                )

    def _splitter(self) -> Splitter:
        return Splitter(self._literals, self._imported)

    def _import(self, statement: ast.stmt, names: list[ast.alias]) -> None:
        module = statement.module or "" if isinstance(statement, ast.ImportFrom) else names[0].name
        # Others are how a file of tests names the code, whose names are all here anyway.
        if module.split(".")[0] in sys.stdlib_module_names:
            self._imported |= {(each.asname or each.name).split(".")[0] for each in names}
            self.items.append(Do(source=ast.unparse(statement), line=statement.lineno))

    def _assign(self, statement: ast.stmt, name: str, value: ast.expr) -> None:
        try:
            self._literals[name] = literal(value, self._literals)
        except NoLiteral:
            self._literals.pop(name, None)
            self._do(statement, value)
        else:
            source = ast.unparse(statement)
            self.items.append(Bind(name=name, source=source, line=statement.lineno))

    def _do(self, statement: ast.stmt, value: ast.expr) -> None:
        if not self._splitter().is_subject(value):
            raise SpecError(f"{ast.unparse(value)[:80]} does more than to call the code")
        self.items.append(Do(source=ast.unparse(statement), line=statement.lineno))
        self._handed_over(value)

    def _ask(self, statement: ast.stmt, subject: ast.expr, expected: Expected) -> None:
        source = ast.unparse(subject)
        self.items.append(Ask(source=source, expected=expected, line=statement.lineno))
        self._handed_over(subject)

    def _handed_over(self, node: ast.expr) -> None:
        """The code may have changed what it was given."""
        for name in _loaded(node):
            if isinstance(self._literals.get(name), (list, dict, set)):
                del self._literals[name]


def test_steps(items: Sequence[Item]) -> tuple[tuple[Step, ...], tuple[tuple[int, Expected], ...]]:
    """The steps to send, and what is expected of which."""
    needed: set[str] = set()
    kept: list[Item] = []
    for item in reversed(items):
        if not isinstance(item, Bind) or item.name in needed:
            needed |= _loaded(ast.parse(item.source))
            kept.insert(0, item)
    steps = tuple(Step(kind=_kind(item), source=item.source) for item in kept)
    expected = tuple((n, item.expected) for n, item in enumerate(kept) if isinstance(item, Ask))
    return steps, expected


def _kind(item: Item) -> Any:
    if not isinstance(item, Ask):
        return "exec"
    return "raises" if item.expected.relation is Relation.RAISES else "eval"


def _loaded(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _raised(context: ast.expr) -> str:
    match context:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="pytest"), attr="raises") | ast.Name(id="raises"),
            args=[ast.Name(id=name) | ast.Attribute(attr=name)],
            keywords=[],
        ):
            return name
    raise SpecError(f"{ast.unparse(context)[:80]} is no pytest.raises(Error)")
