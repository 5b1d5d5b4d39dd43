"""Small changes of Python source that a test should notice, one at a time.

Changed are comparisons (their bound, their sense), arithmetic, ``and`` and ``or``, signs, ``not``, conditions, numbers
(+1, -1, 0), True and False, opposite functions such as ``min`` and ``max``, the first two arguments of a call, keyword
arguments (left out), slice bounds (left out), values returned (None), and statements of which no name depends (left
out: calls, ``raise``, assignments in place, ``break``, ``continue``). Left alone is what no result depends on: texts,
error objects and warnings, annotations and aliases of types, ``cast``, decorators, ``strict`` of ``zip``, ``__repr__``.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

BOUNDS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
SENSES = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}  # fmt: skip
OPPOSITES = {"min": "max", "minimum": "maximum", "floor": "ceil", "any": "all", "argmin": "argmax", "nanmin": "nanmax"}
OPPOSITES |= {there: here for here, there in OPPOSITES.items()}
SYMMETRIC = {"min", "max", "minimum", "maximum", "add", "multiply", "hypot", "gcd", "lcm", "isclose", "logaddexp"}
TYPES = {"TypeVar", "Callable", "Literal", "Union", "TypeAlias", "NewType", "Any", "NDArray", "ParamSpec"}
SILENT = {"__repr__", "__str__"}


@dataclass(frozen=True)
class Place:
    """Where a node hangs in its tree, and in which statement and definitions."""

    parent: ast.AST
    field: str
    index: int | None
    first: int  # lines of the statement, or of its head where it has a body
    last: int
    names: tuple[str, ...]  # what is defined there, outermost first
    in_function: bool

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True)
class Mutation:
    place: Place
    old: Any
    new: Any

    @property
    def line(self) -> int:
        return int(self.old.lineno)

    @property
    def change(self) -> str:
        before, after = (" ".join(ast.unparse(node).split()) for node in (self.old, self.new))
        return f"{before} -> {after}"


def mutated(source: str, number: int) -> ast.Module:
    """The tree of a source with one of its mutations made; the lines stay what they were."""
    tree = ast.parse(source)
    mutation = list(mutations_of(tree))[number]
    mutation.place.put(ast.copy_location(mutation.new, mutation.old))
    return ast.fix_missing_locations(tree)


def mutations_of(tree: ast.Module) -> Iterator[Mutation]:
    """All of them, in the order of the source."""
    top = Place(tree, "body", None, 1, 1, (), in_function=False)
    yield from _below(tree, top, _errors(tree) | {"warn"})


def _below(node: ast.AST, place: Place, quiet: set[str]) -> Iterator[Mutation]:
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "type_params", "type_comment"):
            continue
        nodes = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, child in nodes:
            if isinstance(child, ast.AST) and not _left_alone(child, place):
                yield from _at(child, _placed(child, node, field, index, place), quiet)


def _at(node: ast.AST, place: Place, quiet: set[str]) -> Iterator[Mutation]:
    made = chain(*(make(node) for make in (_of_statement, _of_condition, _of_expression, _of_slice, _of_call)))
    yield from (Mutation(place, node, ast.copy_location(new, node)) for new in made)
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _name(node.func) in quiet):
        return
    if isinstance(node, ast.UnaryOp) and _is_number(node.operand):
        return
    if isinstance(node, ast.Call) and _name(node.func) == "cast":
        yield from _at(node.args[1], _placed(node.args[1], node, "args", 1, place), quiet)
        return
    yield from _below(node, place, quiet)


def _placed(node: ast.AST, parent: ast.AST, field: str, index: int | None, within: Place) -> Place:
    first, last, names, in_function = within.first, within.last, within.names, within.in_function
    if isinstance(node, ast.stmt):
        body = getattr(node, "body", None)
        first, last = node.lineno, (body[0].lineno - 1 if body else node.end_lineno or node.lineno)
        last = max(first, last)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = (*names, node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and not in_function:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (
                *names,
                *(name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)),
            )
    if isinstance(parent, ast.FunctionDef | ast.Lambda) and field == "body":
        in_function = True
    return Place(parent, field, index, first, last, names, in_function)


def _of_statement(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(ast.Constant(None))
    if isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        yield _with(node, op=ARITHMETIC[type(node.op)]())


def _of_condition(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
                yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                for table in (BOUNDS, SENSES):
                    if type(op) in table:
                        yield _with(node, ops=[*ops[:index], table[type(op)](), *ops[index + 1 :]])
        case ast.BoolOp(op=op):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())


def _of_expression(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)) if _is_number(node.operand):
            yield node.operand
            yield from (ast.UnaryOp(ast.USub(), ast.Constant(other)) for other in _others(value))
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert()):
            yield node.operand
        case ast.BinOp(op=op) if type(op) in ARITHMETIC and not any(_is_text(side) for side in (node.left, node.right)):
            yield _with(node, op=ARITHMETIC[type(op)]())
        case ast.BinOp(op=ast.MatMult()):
            yield _with(node, left=node.right, right=node.left)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=value) if _is_number(node):
            yield from map(ast.Constant, _others(value))


def _of_slice(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Slice):
        for bound in ("lower", "upper", "step"):
            if getattr(node, bound) is not None:
                yield _with(node, **{bound: None})


def _of_call(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Call):
        return
    name = _name(node.func)
    if name in OPPOSITES:
        opposite = OPPOSITES[name]
        yield _with(node, func=_with(node.func, **{"id" if isinstance(node.func, ast.Name) else "attr": opposite}))
    first = node.args[:2]
    ordered = len(first) == 2 and name not in SYMMETRIC | {"cast"} and ast.dump(first[0]) != ast.dump(first[1])
    if ordered and not any(isinstance(argument, ast.Starred) for argument in first):
        yield _with(node, args=[first[1], first[0], *node.args[2:]])
    for index, keyword in enumerate(node.keywords):
        if keyword.arg not in (None, "strict"):
            yield _with(node, keywords=node.keywords[:index] + node.keywords[index + 1 :])


def _left_alone(node: ast.AST, place: Place) -> bool:
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.expr_context() | ast.operator() | ast.cmpop():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.FunctionDef(name=name):
            return name in SILENT
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(value=value) if not place.in_function:
            return any(isinstance(part, ast.Name) and part.id in TYPES for part in ast.walk(value)) or any(
                _name(target) == "__all__" for target in node.targets
            )
        case ast.keyword(arg="strict"):
            return True
    return False


def _errors(tree: ast.Module) -> set[str]:
    """The names of errors a module imports."""
    imports = [
        node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "noiseless.errors"
    ]
    return {alias.asname or alias.name for node in imports for alias in node.names}


def _others(value: Any) -> list[Any]:
    """A number one more, one less, and 0."""
    return list(dict.fromkeys(other for other in (value + 1, value - 1, type(value)(0)) if other != value))


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _with(node: Any, **changed: Any) -> Any:
    made = copy.copy(node)
    for field, value in changed.items():
        setattr(made, field, value)
    return made
