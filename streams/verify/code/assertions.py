"""Tests as Python source, taken apart into calls and expected values without being run.

Understood: plain ``assert`` at the top, ``def test_…():`` (also in a class) and HumanEval's
``def check(candidate):``, holding assignments, calls and assertions of the forms

    assert f(x) == VALUE        also != < <= > >= in, ``is None``, and either way round
    assert f(x)                 and ``assert not f(x)``
    assert abs(f(x) - VALUE) < TOLERANCE
    assert math.isclose(f(x), VALUE, …)   and ``== pytest.approx(VALUE, …)``
    with pytest.raises(Error): f(x)

where VALUE is written out. Each assertion at the top, and of ``check``, is a test of its own; a
``def test_…`` is one test. All else is refused: a test that cannot be split could only be run
beside the code, which would then see what it has to answer.
"""

import ast
from collections.abc import Iterator, Sequence

from streams.verify.code.block import Ask, Block, Item, test_steps
from streams.verify.code.unit_test import SpecError, UnitTest
from streams.verify.sandbox.code_result import CodeTest


def parse_assertions(source: str, entry: str | None = None) -> tuple[UnitTest, ...]:
    """The tests, in order; raises SpecError. ``entry`` is what ``check`` is called with where the
    source does not call it.
    """
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SpecError(f"not Python: {error}") from None
    return tuple(_tests(module.body, entry))


def _tests(statements: Sequence[ast.stmt], entry: str | None) -> Iterator[UnitTest]:
    top = Block()
    called = [name for name in map(_checked, statements) if name is not None]
    for statement in statements:
        match statement:
            case ast.FunctionDef(name="check", args=ast.arguments(args=[parameter])):
                names = called or ([entry] if entry else [])
                if not names:
                    raise SpecError(
                        f"line {statement.lineno}: check is never called; "
                        "call it, or name what it is called with as the parameter entry_point"
                    )
                for name in names:
                    block = top.copy()
                    block.assign(parameter.arg, name)
                    block.read(statement.body)
                    yield from _one_each(block)
            case ast.FunctionDef(name=name) if name.startswith("test"):
                yield _whole(top, statement, name)
            case ast.ClassDef(name=name, bases=[]) if name.startswith("Test"):
                for method in statement.body:
                    if not isinstance(method, ast.FunctionDef):
                        raise _refused(method)
                    yield _whole(top, method, f"{name}.{method.name}")
            case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
                raise _refused(statement)
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                pass
            case _ if _checked(statement) is None:
                before = len(top.items)
                top.read([statement])
                for ask in _asks(top.items[before:]):
                    yield _test(f"line {ask.line}", _with(top.items, ask))


def _checked(statement: ast.stmt) -> str | None:
    """The name in ``check(name)``."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id="check"), args=[ast.Name(id=name)])):
            return name
    return None


def _whole(top: Block, function: ast.FunctionDef, name: str) -> UnitTest:
    known = function.args.args[0].arg if function.args.args else ""
    if function.decorator_list or len(function.args.args) > 1 or known not in ("", "self"):
        raise SpecError(f"line {function.lineno}: {name} has decorators or fixtures; write it out")
    block = top.copy()
    block.read(function.body)
    items = [item for item in block.items if item not in _asks(top.items)]
    if not _asks(items):
        raise SpecError(f"line {function.lineno}: {name} asserts nothing")
    return _test(name, items)


def _one_each(block: Block) -> Iterator[UnitTest]:
    for ask in _asks(block.items):
        yield _test(f"line {ask.line}", _with(block.items, ask))


def _asks(items: Sequence[Item]) -> list[Ask]:
    return [item for item in items if isinstance(item, Ask)]


def _with(items: Sequence[Item], ask: Ask) -> list[Item]:
    """What comes before an assertion, without the assertions there."""
    before = items[: items.index(ask)]
    return [*(item for item in before if not isinstance(item, Ask)), ask]


def _test(name: str, items: Sequence[Item]) -> UnitTest:
    steps, expected = test_steps(items)
    return UnitTest(name=name, test=CodeTest(steps=steps), expected=expected)


def _refused(statement: ast.stmt) -> SpecError:
    return SpecError(
        f"line {statement.lineno}: a {type(statement).__name__} cannot be split into calls and "
        "expected values; write plain asserts"
    )
