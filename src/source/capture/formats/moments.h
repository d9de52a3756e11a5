#pragma once
/* Dates and durations, as Windows and PowerShell print them in the languages of the system. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * "1500", "1500 ms", "90s", "00:12:33", "3.04:05:06.1234567" (a TimeSpan of .NET). A number without a unit counts in
 * `unit_ms`. Returns false if it is none of these. The result is at most UINT32_MAX (49 days).
 */
bool duration_parse(const char *text, size_t length, uint32_t unit_ms, uint32_t *ret_ms);

/*
 * "31.01.2026 11:58:02", "1/31/2026 11:58:02 AM", "2026-01-31T11:58:02", in seconds of an unknown time zone. Where
 * nothing tells the day from the month, *ret_first and *ret_last are the two possible moments; otherwise they are
 * equal. Returns false if the text contains anything else.
 */
bool moment_parse(const char *text, size_t length, uint32_t *ret_first, uint32_t *ret_last);

/*
 * The long form of Get-Date, in seconds: "Saturday, January 31, 2026 12:03:11 PM", "Samstag, 31. Januar 2026 12:03:11",
 * "2026年1月31日 12:03:11". False if it is none, or in a language whose months are not known.
 */
bool long_date_parse(const char *text, size_t length, uint32_t *ret_moment);
