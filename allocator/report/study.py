"""What every study's folder holds: tables as CSV files and sheets, one page, run.json; the study fills them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allocator.report.document import Part, document, evidence, panel
from allocator.report.formats import MoneyUnit
from allocator.report.html import both, plain, table, tag
from allocator.report.manifest import Json
from allocator.report.sections import ReportTable
from allocator.types import Language, Text

__all__ = ["StudyReport"]


@dataclass(frozen=True, eq=False)
class StudyReport:
    """A study as files show it; `allocator.report.writer.write_study` writes it.

    Parameters
    ----------
    title : Text
        What the study is.
    manifest : dict
        run.json, money in ``fund.unit``.
    tables : sequence of ReportTable
        Money in CNY; each is a CSV file and a sheet of its name.
    charts : sequence of str
        Figures of the first section, HTML.
    lead : Text
        What came out, in a sentence.
    language : Language
        The language the page opens in, and the workbook's.
    unit : float
        CNY per unit of money in CSV files and workbook.
    money : MoneyUnit
        The unit the page shows.
    """

    title: Text
    manifest: Json
    tables: Sequence[ReportTable]
    charts: Sequence[str]
    lead: Text
    language: Language
    unit: float
    money: MoneyUnit

    def page(self) -> str:
        """Return report.html."""
        fund = self.manifest["fund"]
        line = [plain(fund["as_of"]), both(Text(f"money in {self.money.label.en}", f"金额单位：{self.money.label.zh}"))]
        heading = tag("h1", plain(fund["name"])) + tag("p", " · ".join([both(self.title), *line]))
        head = tag("div", tag("div", heading), class_="title")
        first = panel(tag("p", both(self.lead), class_="lead") + "".join(self.charts))
        parts: list[Part] = [("overview", self.title, first)]
        parts += [(one.name, one.title, panel(table(one, self.money), "panel full")) for one in self.tables]
        parts.append(evidence(self.manifest))
        title = Text(f"{fund['name']}: {self.title.en}", f"{fund['name']}：{self.title.zh}")
        footer = Text(
            f"Every figure equals run.json and the CSV files beside this page. Written {self.manifest['created']}.",
            f"本页数字与同目录 run.json 及 CSV 文件一致。生成时间 {self.manifest['created']}。",
        )
        return document(title, self.language, head, parts, footer)
