"""The suites of tools/check. Each is a function that is handed an Outcome and puts its cases in."""
