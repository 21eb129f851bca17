"""One assertion, split into what the code is asked and what it has to answer."""

import ast
import builtins
from collections.abc import Mapping, Set
from typing import Any

from streams.verify.code.expected import Expected, Relation
from streams.verify.code.literals import NoLiteral, literal
from streams.verify.code.unit_test import SpecError
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.plain import pack

_RELATIONS: dict[type[ast.cmpop], Relation] = {
    ast.Eq: Relation.EQUAL,
    ast.Is: Relation.EQUAL,
    ast.NotEq: Relation.NOT_EQUAL,
    ast.IsNot: Relation.NOT_EQUAL,
    ast.Lt: Relation.LESS,
    ast.LtE: Relation.LESS_EQUAL,
    ast.Gt: Relation.GREATER,
    ast.GtE: Relation.GREATER_EQUAL,
    ast.In: Relation.IN,
}
_MIRRORED = {
    Relation.EQUAL: Relation.EQUAL,
    Relation.NOT_EQUAL: Relation.NOT_EQUAL,
    Relation.LESS: Relation.GREATER,
    Relation.LESS_EQUAL: Relation.GREATER_EQUAL,
    Relation.GREATER: Relation.LESS,
    Relation.GREATER_EQUAL: Relation.LESS_EQUAL,
}
_BUILTINS = frozenset(dir(builtins))
# Those of math.isclose and of pytest.approx where a test names none.
_CLOSE = {"rel_tol": 1e-9, "abs_tol": 0.0}
_APPROX = {"rel": 1e-6, "abs": 1e-12}


class Splitter:
    """``literals`` are names with values that are written out, ``imported`` names of modules."""

    def __init__(self, literals: Mapping[str, Any], imported: Set[str]) -> None:
        self._literals = literals
        self._imported = imported

    def split(self, test: ast.expr) -> tuple[ast.expr, Expected]:
        """The expression to evaluate, and what is expected of it; raises SpecError."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._claim(operand), Expected(relation=Relation.FALSE)
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if (
                type(sign) in _RELATIONS
            ):
                return self._compared(left, _RELATIONS[type(sign)], right)
            case ast.Call(func=function, args=[one, other], keywords=keywords) if _is(
                function, "math", "isclose"
            ):
                tolerance = self._tolerance(keywords, _CLOSE)
                return self._close(one, other, tolerance)
        return self._claim(test), Expected(relation=Relation.TRUE)

    def is_subject(self, node: ast.expr) -> bool:
        """Whether the expression asks the code for a value, and decides nothing by itself."""
        match node:
            case ast.Name() | ast.Constant():
                return True
            case ast.Attribute(value=value) | ast.Starred(value=value):
                return self.is_subject(value)
            case ast.Subscript(value=value):
                return self.is_subject(value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.is_subject(operand)
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return all(map(self.is_subject, items))
            case (
                ast.ListComp(elt=item, generators=generators)
                | ast.SetComp(elt=item, generators=generators)
                | ast.GeneratorExp(elt=item, generators=generators)
            ):
                return self.is_subject(item) and not any(each.ifs for each in generators)
            case ast.Call(func=function, args=arguments):
                # What is no code under test must not be given what it could compare with.
                return self.is_subject(function) and (
                    not self._is_ours(function) or all(map(self._is_subject_or_literal, arguments))
                )
        return False

    def _claim(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Call) and not self._is_ours(node.func) and self.is_subject(node):
            return node
        raise SpecError(
            f"{_shown(node)} would be decided by the code under test; "
            "write: assert CALL == VALUE, with the value written out"
        )

    def _compared(
        self, left: ast.expr, relation: Relation, right: ast.expr
    ) -> tuple[ast.expr, Expected]:
        if (near := self._near(left, relation, right)) is not None:
            return near
        for subject, wanted, way in (
            (left, right, relation),
            (right, left, _MIRRORED.get(relation)),
        ):
            if way is None or self._is_literal(subject):
                continue
            if isinstance(wanted, ast.Call) and _is(wanted.func, "pytest", "approx"):
                tolerance = self._tolerance(wanted.keywords, _APPROX)
                return self._close(subject, wanted.args[0], tolerance)
            if self._is_literal(wanted):
                return self._expected(subject, way, literal(wanted, self._literals))
        raise SpecError(
            f"{_shown(left)} {relation.value} {_shown(right)}: one side must be a call of the "
            "code, and the other a value that is written out"
        )

    def _expected(
        self, subject: ast.expr, relation: Relation, value: Any
    ) -> tuple[ast.expr, Expected]:
        if isinstance(value, bool):
            self._claim_or_name(subject)
        elif not self.is_subject(subject):
            raise SpecError(f"{_shown(subject)} does more than to ask the code for a value")
        try:
            return subject, Expected(relation=relation, value=pack(value))
        except TypeError as error:
            raise SpecError(str(error)) from None

    def _claim_or_name(self, node: ast.expr) -> None:
        if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
            self._claim(node)
        elif not self.is_subject(node):
            raise SpecError(f"{_shown(node)} does more than to ask the code for a value")

    def _near(
        self, left: ast.expr, relation: Relation, right: ast.expr
    ) -> tuple[ast.expr, Expected] | None:
        """``abs(CALL - VALUE) < TOLERANCE``."""
        match left, right:
            case (
                ast.Call(
                    func=ast.Name(id="abs"), args=[ast.BinOp(left=one, op=ast.Sub(), right=other)]
                ),
                bound,
            ) if relation in (Relation.LESS, Relation.LESS_EQUAL) and self._is_literal(bound):
                size = literal(bound, self._literals)
                if isinstance(size, (int, float)):
                    return self._close(one, other, Tolerance(relative=0.0, absolute=float(size)))
        return None

    def _close(
        self, one: ast.expr, other: ast.expr, tolerance: Tolerance
    ) -> tuple[ast.expr, Expected]:
        for subject, wanted in ((one, other), (other, one)):
            if self._is_literal(wanted) and not self._is_literal(subject):
                subject, expected = self._expected(
                    subject, Relation.EQUAL, literal(wanted, self._literals)
                )
                return subject, Expected(
                    relation=Relation.EQUAL, value=expected.value, tolerance=tolerance
                )
        raise SpecError(f"neither {_shown(one)} nor {_shown(other)} is written out")

    def _tolerance(self, keywords: list[ast.keyword], default: Mapping[str, float]) -> Tolerance:
        sizes = dict(default)
        for keyword in keywords:
            if keyword.arg not in sizes:
                raise SpecError(f"the argument {keyword.arg} is not understood")
            try:
                sizes[keyword.arg] = float(literal(keyword.value, self._literals))
            except (NoLiteral, TypeError, ValueError):
                raise SpecError(f"{_shown(keyword.value)} is no number") from None
        relative, absolute = sizes.values()
        return Tolerance(relative=relative, absolute=absolute)

    def _is_ours(self, function: ast.expr) -> bool:
        """Whether this is a function of Python's, or a method of a written out value."""
        while isinstance(function, (ast.Attribute, ast.Subscript, ast.Call)):
            function = function.func if isinstance(function, ast.Call) else function.value
        return not isinstance(function, ast.Name) or function.id in _BUILTINS | self._imported

    def _is_subject_or_literal(self, node: ast.expr) -> bool:
        return self.is_subject(node) or self._is_literal(node)

    def _is_literal(self, node: ast.expr) -> bool:
        try:
            literal(node, self._literals)
        except NoLiteral:
            return False
        return True


def _is(function: ast.expr, module: str, name: str) -> bool:
    match function:
        case ast.Attribute(value=ast.Name(id=found), attr=attribute):
            return (found, attribute) == (module, name)
        case ast.Name(id=found):
            return found == name
    return False


def _shown(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 80 else text[:79] + "…"
