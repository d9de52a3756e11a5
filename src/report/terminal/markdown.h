#pragma once
/* Markdown (CommonMark with tables) for a terminal. */
#include "base/buf.h"
#include "report/report.h"

/*
 * Appends the page, wrapped to style->width. Headings begin at the margin, everything else is indented by two columns.
 * Only code blocks may be wider: they are not wrapped, so that they can be copied. Control characters are escaped.
 * Returns 0, or -EINVAL if the parser fails.
 */
int markdown_render(const char *markdown, const struct report_style *style, struct buf *out);
