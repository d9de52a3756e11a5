#include "source/capture/formats/proc_net_tcp.h"

#include "source/text/proc_net_tcp_row.h"
#include "source/text/scan.h"

enum line_kind proc_net_tcp_row(struct capture *capture, const struct line *line)
{
    enum { IPV6_DIGITS = 32 };
    const char *text = line->text;
    uint64_t slot;
    if (!scan_decimal(&text, &slot) || !scan_char(&text, ':') || *text != ' ')
        return LINE_OTHER;
    skip_spaces(&text);
    bool ipv6 = strspn(text, "0123456789ABCDEFabcdef") == IPV6_DIGITS;
    if (proc_parse_net_tcp_row(line->text, ipv6, capture_draft(capture)) < 0)
        return LINE_MALFORMED;
    capture_add(capture);
    return LINE_ROW;
}
