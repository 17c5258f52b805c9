"""The HTML report and its figures."""

from simlab.report.html import write_report

__all__ = ["write_report"]
