"""The grammar of house limits and a recursive-descent parser for it.

    rule       := ["for" "each" column ["where" test] ":"] sum compare sum [compare sum]
    compare    := "<=" | ">=" | "=="
    sum        := product {("+" | "-") product}
    product    := factor {("*" | "/" | "of") factor}
    factor     := "-" factor | number | name | "(" sum ")" | ("sum" | "total") "(" sum ["where" test] ")"
    test       := all {"or" all}
    all        := one {"and" one}
    one        := "not" one | "(" test ")" | column
                | operand ("==" | "!=" | "<" | "<=" | ">" | ">=") operand
                | column ["not"] "in" "(" literal {"," literal} ")"
                | column "contains" literal | column "is" ["not"] "blank"
    operand    := column | literal
    literal    := number | "text" | "true" | "false"

Chains of one operator are flat nodes, so that the depth of the tree is the depth of the brackets, which is
bounded; nothing here is ever evaluated as Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from allocator.plugin import Text
from allocator_eligibility.faults import Fault
from allocator_eligibility.nodes import (
    Aggregate,
    Blank,
    Both,
    Column,
    Compare,
    Contains,
    Either,
    Literal,
    Member,
    Minus,
    Node,
    Not,
    Number,
    Product,
    Rule,
    Sum,
    Test,
)
from allocator_eligibility.tokens import Sort, Token, tokens

__all__ = ["MAX_DEPTH", "parse_rule", "parse_test"]

MAX_DEPTH = 40
"""Deepest nesting of brackets, signs and negations."""


def parse_rule(text: str) -> Rule:
    """Return the syntax tree of a rule; Fault at the character where it goes wrong."""
    return _Parser(text).rule()


def parse_test(text: str) -> Test:
    """Return the syntax tree of a test alone, as options named ``where`` hold it."""
    parser = _Parser(text)
    test = parser.test()
    parser.end()
    return test


class _Parser:
    """One pass over the tokens, one method per rule of the grammar."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._next = 0
        self._depth = 0

    def rule(self) -> Rule:
        each, where = None, None
        if self._keyword("for"):
            self._expect_keyword("each")
            each = self._column()
            where = self.test() if self._keyword("where") else None
            self._expect(":")
        sides, signs = [self._sum()], []
        while (token := self._mark("<=", ">=", "==")) is not None:
            signs.append((token.at, token.text))
            sides.append(self._sum())
        if not signs:
            raise self._no_comparison()
        if len(signs) > 2 or (len(signs) == 2 and (signs[0][1] != signs[1][1] or signs[0][1] == "==")):
            what = Text(
                "a rule has one comparison, or two that point the same way", "一条规则只能有一个比较，或两个同向的比较"
            )
            raise Fault(signs[-1][0], what, "1% of total_assets <= sum(…) <= 5% of total_assets")
        self.end()
        return Rule(tuple(sides), tuple(signs), each, where)

    def end(self) -> None:
        """Refuse whatever is left."""
        token = self._peek
        if token.sort is not Sort.END:
            raise self._unexpected(token, "the end of the rule")

    def test(self) -> Test:
        return self._chain("or", self._all, Either)

    def _all(self) -> Test:
        return self._chain("and", self._one, Both)

    def _chain(self, word: str, part: Callable[[], Test], node: type[Either] | type[Both]) -> Test:
        at, parts = self._peek.at, [part()]
        while self._keyword(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else node(at, tuple(parts))

    def _one(self) -> Test:
        token = self._peek
        if self._keyword("not"):
            with self._deeper(token):
                return Not(token.at, self._one())
        if self._mark("(") is not None:
            with self._deeper(token):
                inner = self.test()
            self._expect(")")
            return inner
        left = self._operand()
        if (sign := self._mark("==", "!=", "<", "<=", ">", ">=")) is not None:
            return Compare(sign.at, sign.text, left, self._operand())
        if isinstance(left, Column):
            return self._about(left)
        if self._peek.text == "=":
            raise _single_equals(self._peek)
        raise self._unexpected(self._peek, "== != < <= > >=")

    def _about(self, column: Column) -> Test:
        """Return what stands behind a column: ``in (…)``, ``contains``, ``is blank``, or nothing (a flag)."""
        token = self._peek
        if token.text == "=" and token.sort is Sort.MARK:
            raise _single_equals(token)
        if self._keyword("is"):
            negated = self._keyword("not")
            self._expect_keyword("blank")
            return Not(token.at, Blank(token.at, column)) if negated else Blank(token.at, column)
        if self._keyword("contains"):
            return Contains(token.at, column, self._literal())
        negated = self._keyword("not")
        if negated:
            self._expect_keyword("in")
        elif not self._keyword("in"):
            return column
        self._expect("(")
        values = [self._literal()]
        while self._mark(",") is not None:
            values.append(self._literal())
        self._expect(")")
        member = Member(token.at, column, tuple(values))
        return Not(token.at, member) if negated else member

    def _operand(self) -> Column | Literal:
        return self._column() if self._peek.sort is Sort.NAME else self._literal()

    def _literal(self) -> Literal:
        token = self._peek
        sign = 1.0
        if self._mark("-") is not None:
            sign, token = -1.0, self._peek
            if token.sort not in (Sort.NUMBER, Sort.MONEY):
                raise self._unexpected(token, "a number")
        if token.sort in (Sort.NUMBER, Sort.MONEY):
            self._next += 1
            return Literal(token.at, sign * token.value)
        if token.sort is Sort.STRING:
            self._next += 1
            return Literal(token.at, token.text)
        for word, truth in (("true", True), ("false", False)):
            if self._keyword(word):
                return Literal(token.at, truth)
        hint = Text('text stands in quotation marks, as in kind == "gold"', '文本须加引号，例如 kind == "gold"')
        raise self._unexpected(token, "a column, a number, or text", hint if token.sort is Sort.NAME else None)

    def _column(self) -> Column:
        token = self._peek
        if token.sort is not Sort.NAME:
            raise self._unexpected(token, "a column of assets.csv")
        self._next += 1
        return Column(token.at, token.text)

    def _sum(self) -> Node:
        at = self._peek.at
        parts = [(True, self._product())]
        while (sign := self._mark("+", "-")) is not None:
            parts.append((sign.text == "+", self._product()))
        return parts[0][1] if len(parts) == 1 else Sum(at, tuple(parts))

    def _product(self) -> Node:
        at = self._peek.at
        factors = [(True, at, self._factor())]
        while True:
            sign = self._peek
            if self._keyword("of") or self._mark("*", "/") is not None:
                factors.append((sign.text != "/", sign.at, self._factor()))
            else:
                return factors[0][2] if len(factors) == 1 else Product(at, tuple(factors))

    def _factor(self) -> Node:
        token = self._peek
        if self._mark("-") is not None:
            with self._deeper(token):
                return Minus(token.at, self._factor())
        if token.sort in (Sort.NUMBER, Sort.MONEY):
            self._next += 1
            return Number(token.at, token.value, token.sort is Sort.MONEY)
        if token.sort is Sort.NAME:
            return self._column()
        if self._mark("(") is not None:
            with self._deeper(token):
                inner = self._sum()
            self._expect(")")
            return inner
        if self._keyword("sum") or self._keyword("total"):
            self._expect("(")
            with self._deeper(token):
                measure = self._sum()
                where = self.test() if self._keyword("where") else None
            self._expect(")")
            return Aggregate(token.at, token.text == "total", measure, where)
        raise self._unexpected(token, "sum(…), a number with its unit, or a total such as total_assets")

    @property
    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _keyword(self, word: str) -> bool:
        token = self._peek
        if token.sort is Sort.KEYWORD and token.text == word:
            self._next += 1
            return True
        return False

    def _mark(self, *marks: str) -> Token | None:
        token = self._peek
        if token.sort is Sort.MARK and token.text in marks:
            self._next += 1
            return token
        return None

    def _expect(self, mark: str) -> None:
        if self._mark(mark) is None:
            raise self._unexpected(self._peek, mark)

    def _expect_keyword(self, word: str) -> None:
        if not self._keyword(word):
            raise self._unexpected(self._peek, word)

    @contextmanager
    def _deeper(self, token: Token) -> Iterator[None]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Fault(token.at, Text("the rule is nested too deeply", "规则嵌套过深"), f"{MAX_DEPTH} levels")
        yield
        self._depth -= 1

    def _no_comparison(self) -> Fault:
        token = self._peek
        if token.sort is Sort.MARK and token.text in ("<", ">"):
            what = Text("a limit holds at its bound too", "限额在界限处同样满足，不能使用严格不等号")
            return Fault(token.at, what, f"{token.text}=")
        if token.sort is Sort.MARK and token.text == "=":
            return _single_equals(token)
        return self._unexpected(token, "<= >= ==")

    def _unexpected(self, token: Token, allowed: str, hint: Text | None = None) -> Fault:
        if token.sort is Sort.END:
            return Fault(token.at, Text("the rule ends too early", "规则不完整"), allowed, hint)
        shown = f'"{token.text}"' if token.sort is Sort.STRING else token.text
        return Fault(token.at, Text(f"unexpected {shown}", f"此处不应出现 {shown}"), allowed, hint)


def _single_equals(token: Token) -> Fault:
    return Fault(token.at, Text("equality is written ==", "相等须写作 =="), "==")
