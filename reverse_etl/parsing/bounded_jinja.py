"""A Jinja sandbox in which a template ends soon and stays small, whatever it computes.

Jinja's own sandbox keeps templates away from Python, but not from a text of a gigabyte or an endless loop.
Here loops share a number of steps, and texts, lists and numbers have a size. Filters that can't be bounded
are not available.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NoReturn

from jinja2 import nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jinja2.runtime import Context

MAX_SIZE: Final = 5_000_000  # characters of a text, members of a list: more than a request can hold
MAX_STEPS: Final = 100_000  # of all loops of a template together
_MAX_BITS: Final = 1_024  # of an integer; JSON has 64
_MAX_DIGITS: Final = 100  # of rounding
STEPS_NAME: Final = "retl_steps"  # under which a rendered template finds its steps

_REMOVED_FILTERS: Final = (
    "attr", "batch", "center", "filesizeformat", "forceescape", "format", "indent", "pprint", "random",
    "slice", "urlize", "wordwrap", "xmlattr",
)  # fmt: skip
_METHODS: Final[dict[type, frozenset[str]]] = {
    str: frozenset(
        {
            "capitalize", "casefold", "count", "endswith", "find", "isalnum", "isalpha", "isascii",
            "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "isupper", "join", "lower", "lstrip",
            "partition",
            "removeprefix", "removesuffix", "replace", "rfind", "rpartition", "rsplit", "rstrip", "split",
            "splitlines", "startswith", "strip", "swapcase", "title", "upper",
        }
    ),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    LoopContext: frozenset({"changed", "cycle"}),
}  # fmt: skip


class Steps:
    """The steps that the loops of one rendering still have."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def count(self, members: Iterable[Any]) -> Iterator[Any]:
        """Yield the members of a loop. Raises SecurityError after too many steps of all loops."""
        for member in members:
            self._left -= 1
            if self._left < 0:
                _refuse(f"its loops take more than {MAX_STEPS:,} steps")
            yield member


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """The environment. `bound_template` prepares a parsed template for it."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.globals.clear()  # among them lipsum, which prints random text
        for name in _REMOVED_FILTERS:
            del self.filters[name]
        self.filters |= {name: _check_result(used) for name, used in self.filters.items()}
        self.filters |= {
            "join": _check_join(self.filters["join"]),
            "replace": _check_replace(self.filters["replace"]),
            "round": _check_round(self.filters["round"]),
            _CONCAT: _concat,
            _LOOP: _count_steps,
        }

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return the result of an operator. Raises SecurityError if it is too large."""
        match operator:
            case "%" if isinstance(left, str):
                _refuse("texts are joined with ~, not formatted with %")
            case "+" if hasattr(left, "__len__") and hasattr(right, "__len__"):
                _require_size(len(left) + len(right))
            case "*" if isinstance(left, int) and isinstance(right, int):
                _require_bits(left.bit_length() + right.bit_length())
            case "*" if hasattr(left, "__len__") and isinstance(right, int):
                _require_size(len(left) * right)
            case "*" if hasattr(right, "__len__") and isinstance(left, int):
                _require_size(len(right) * left)
            case "**" if isinstance(left, int) and isinstance(right, int):
                _require_bits(left.bit_length() * abs(right))
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a member of an object, also one that has the name of a method, such as `items`."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_callable(self, obj: Any) -> bool:
        """Return whether a template may call an object: a method that is listed here."""
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        return any(isinstance(owner, kind) and name in names for kind, names in _METHODS.items())

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a method. Raises SecurityError for one that is not allowed, or whose result is too large."""
        if not self.is_safe_callable(obj):
            _refuse(f"it can't call {getattr(obj, '__name__', type(obj).__name__)}")
        if isinstance(obj.__self__, str) and obj.__name__ in {"join", "replace"}:
            return self.call_filter(
                obj.__name__, *_filter_arguments(obj, args), kwargs=kwargs, context=context
            )
        return super().call(context, obj, *args, **kwargs)


def bound_template(tree: nodes.Template) -> nodes.Template:
    """Return a parsed template whose loops and joined texts are bounded; the tree is changed."""
    return _Bounder().visit(tree)  # type: ignore[no-any-return]


_CONCAT: Final = "retl_concat"
_LOOP: Final = "retl_loop"


class _Bounder(NodeTransformer):
    """Lets filters do what can't be intercepted otherwise."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, _LOOP, [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        operands = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(operands, _CONCAT, [], [], None, None, lineno=node.lineno)


@pass_context
def _count_steps(context: Context, members: Iterable[Any]) -> Iterator[Any]:
    steps: Steps = context.parent[STEPS_NAME]
    return steps.count(members)


def _concat(operands: list[Any]) -> str:
    texts = [str(operand) for operand in operands]
    _require_size(sum(map(len, texts)))
    return "".join(texts)


def _filter_arguments(method: Any, args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """Return the value and the arguments of the filter that does what a text's method does."""
    return (args[0], (method.__self__,)) if method.__name__ == "join" else (method.__self__, args)


def _check_result(used: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(used)
    def apply(*args: Any, **kwargs: Any) -> Any:
        result = used(*args, **kwargs)
        if hasattr(result, "__len__"):
            _require_size(len(result))
        return result

    return apply


def _check_join(used: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(used)
    def apply(context: Any, value: Iterable[Any], d: str = "", attribute: Any = None) -> Any:
        members = list(value)
        _require_size(sum(len(str(member)) + len(str(d)) for member in members))
        return used(context, members, d, attribute)

    return apply


def _check_replace(used: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(used)
    def apply(context: Any, s: str, old: str, new: str, count: int | None = None) -> Any:
        _require_size(len(str(s)) + str(s).count(str(old)) * len(str(new)))
        return used(context, s, old, new, count)

    return apply


def _check_round(used: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(used)
    def apply(value: float, precision: int = 0, method: Any = "common") -> Any:
        _require(abs(precision) <= _MAX_DIGITS, f"it rounds to more than {_MAX_DIGITS} digits")
        return used(value, precision, method)

    return apply


def _require_size(size: int) -> None:
    _require(size <= MAX_SIZE, f"a text or list is larger than {MAX_SIZE:,}")


def _require_bits(bits: int) -> None:
    _require(bits <= _MAX_BITS, "a number is too large")


def _require(condition: bool, reason: str) -> None:  # noqa: FBT001 - a condition
    if not condition:
        _refuse(reason)


def _refuse(reason: str) -> NoReturn:
    raise SecurityError(reason)
