"""What became of a suite's cases."""
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field


@dataclass
class Outcome:
    passed: int = 0
    failed: list = field(default_factory=list)   # (case, what went wrong)
    skipped: list = field(default_factory=list)  # (case, why)
    seconds: float = 0.0
    table: list = field(default_factory=list)    # lines worth showing also where all went well

    @property
    def count(self):
        return self.passed + len(self.failed) + len(self.skipped)

    def ok(self):
        self.passed += 1

    def fail(self, case, why):
        self.failed.append((case, why))

    def skip(self, case, why):
        self.skipped.append((case, why))

    def expect(self, case, problems):
        """One case: passed where the list of problems is empty."""
        if problems:
            self.fail(case, "\n".join(problems))
        else:
            self.ok()

    def add_junit(self, path):
        """The cases of a JUnit file, as Meson and pytest write them. Returns how many there were."""
        before = self.count
        for suite in ElementTree.parse(path).getroot().iter("testsuite"):
            output = suite.findtext("system-out", "") + suite.findtext("system-err", "")
            for case in suite.iter("testcase"):
                name = f"{case.get('classname', '')} {case.get('name', '')}".strip()
                problem = case.find("failure")
                if problem is None:
                    problem = case.find("error")
                skip = case.find("skipped")
                if problem is not None:
                    self.fail(name, "\n".join(filter(None, [problem.get("message"), problem.text, output])))
                elif skip is not None:
                    self.skip(name, skip.get("message") or skip.text or "no reason given")
                else:
                    self.ok()
        return self.count - before
