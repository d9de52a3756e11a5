#include "source/capture/refuse.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define ASK_LINUX "ask for ss -tanpiemo, as root"
#define ASK_WINDOWS "ask for netstat -ano"
#define ASK_ANY "ask for ss -tanpiemo (Linux), netstat -ano (Windows) or netstat -an"

/* Texts without connections, and how they are recognised. The first row whose marks are in the beginning is used. */
static const struct known_text {
    const char *mark, *also; /* both are in the text; `also` may be NULL */
    const char *what, *ask;
} known_texts[] = {
    { "is not recognized", NULL, "an error message: the command was not found", ASK_WINDOWS },
    { "is not recognised", NULL, "an error message: the command was not found", ASK_WINDOWS },
    { "command not found", NULL, "an error message: the command was not found",
        "ask for netstat -tanpo where there is no ss" },
    { ": Flags [", " > ", "packets as tcpdump prints them, and not the sockets of a host", ASK_ANY },
    { "System Idle Process", NULL, "a list of processes without connections",
        "ask for netstat -ano too, and give this list with --tasks" },
    { "Image Name", "PID", "a list of processes without connections",
        "ask for netstat -ano too, and give this list with --tasks" },
    { "PID TTY", NULL, "a list of processes (ps) without connections", ASK_LINUX },
    { "USER", "%CPU", "a list of processes (ps) without connections", ASK_ANY },
    { "Kernel IP routing table", NULL, "a table of routes without connections", ASK_LINUX },
    { "Destination", "Gateway", "a table of routes without connections", ASK_ANY },
    { "Kernel Interface table", NULL, "a table of network interfaces without connections", ASK_LINUX },
    { "RX-OK", "TX-OK", "a table of network interfaces without connections", ASK_LINUX },
    { "scope global", "inet", "a list of addresses without connections", ASK_LINUX },
    { "thread dump", NULL, "a list of a program's threads without connections", ASK_ANY },
    { "PING ", "bytes from", "the output of ping, which knows no connections", ASK_ANY },
    { "Starting Nmap", NULL, "the result of a port scan: ports of a host, and not its connections", ASK_ANY },
    { "Chain ", "policy ", "the rules of a packet filter without connections", ASK_LINUX },
    { "# HELP ", "# TYPE ", "metrics without connections", ASK_LINUX },
    { "USER     COMMAND", "FOREIGN ADDRESS", "the output of sockstat, which shows no states",
        "ask for netstat -an, or lsof -nP -iTCP -Tqs" },
    { "\tat ", "Exception", "the log of a program", "tcpwhy explain tells what an error means; " ASK_ANY },
    { "Proto", "Local Address", "the heading of netstat, with no row of TCP below it",
        "ask for the whole output, in a file" },
    { "LocalAddress", "RemotePort", "the heading of Get-NetTCPConnection, with no row below it",
        "ask for the whole output, in a file" },
    { "u_str", NULL, "a list of UNIX sockets without a row of TCP", ASK_LINUX },
    { "UNCONN", NULL, "a list of UDP sockets without a row of TCP", ASK_LINUX },
};

/* The first two characters that are not blank. False if there are fewer. */
static bool first_two(const char *bytes, size_t length, char ret_two[2])
{
    unsigned found = 0;
    for (size_t i = 0; i < length && found < 2; i++) {
        if (strchr(" \t\r\n", bytes[i]) == NULL)
            ret_two[found++] = bytes[i];
    }
    return found == 2;
}

/* "[" alone may also begin a prompt: "[root@web ~]#". */
static bool is_json(const char *bytes, size_t length)
{
    char two[2];
    if (!first_two(bytes, length, two))
        return false;
    return (two[0] == '{' && strchr("\"}", two[1]) != NULL) || (two[0] == '[' && strchr("{[]\"", two[1]) != NULL);
}

/* Only known tags: "<snip>" and "<IPAddress>" are words of people, not markup. */
static bool is_markup(const char *bytes, size_t length)
{
    static const char *const starts[] = { "<!", "<?", "<html", "<HTML", "<head", "<body", "<table", "<div", "<pre" };
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t most = strlen(starts[i]);
        if (length >= most && memcmp(bytes, starts[i], most) == 0)
            return true;
    }
    return false;
}

/* True if the text has NUL, or more than a few other control characters. A few may be in the output of a terminal. */
static bool is_binary(const char *bytes, size_t length)
{
    enum { SHARE = 20 };
    size_t controls = 0;
    for (size_t i = 0; i < length; i++)
        controls += (unsigned char)bytes[i] < ' ' && strchr("\t\r\n\f\b\033", bytes[i]) == NULL;
    return memchr(bytes, '\0', length) != NULL || controls * SHARE > length;
}

/* Describes the beginning of a file that is not plain text. NULL if it is plain text. */
static const char *describe(const char *bytes, size_t length)
{
    static const struct {
        const char *magic;
        size_t length;
        const char *what;
    } magics[] = {
        { "\x1f\x8b", 2, "gzip data" },
        { "\x28\xb5\x2f\xfd", 4, "zstd data" },
        { "PK\x03\x04", 4, "a ZIP archive or an Office document" },
        { "%PDF", 4, "a PDF" },
        { "\x89PNG", 4, "a picture (PNG)" },
        { "\xff\xd8\xff", 3, "a picture (JPEG)" },
        { "\x7f"
          "ELF",
            4, "a program" },
        { "\xd4\xc3\xb2\xa1", 4, "packets (pcap)" },
        { "\x0a\x0d\x0d\x0a", 4, "packets (pcapng)" },
        { "BZh", 3, "bzip2 data" },
        { "\xfd"
          "7zXZ",
            5, "xz data" },
    };
    char two[2];
    if (length == 0)
        return "nothing: it is empty";
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        if (length >= magics[i].length && memcmp(bytes, magics[i].magic, magics[i].length) == 0)
            return magics[i].what;
    }
    if (is_binary(bytes, length))
        return "binary data";
    if (is_markup(bytes, length))
        return "HTML or XML";
    if (is_json(bytes, length))
        return "JSON without connections";
    return first_two(bytes, length, two) ? NULL : "a text without words";
}

static const struct known_text *find_known(const char *bytes, size_t length)
{
    enum { MOST = 16 * 1024 };
    size_t most = length < MOST ? length : MOST;
    for (size_t i = 0; i < sizeof known_texts / sizeof *known_texts; i++) {
        const struct known_text *known = &known_texts[i];
        if (memmem(bytes, most, known->mark, strlen(known->mark)) != NULL &&
            (known->also == NULL || memmem(bytes, most, known->also, strlen(known->also)) != NULL))
            return known;
    }
    return NULL;
}

/* The first line that is not blank, short enough to be quoted. */
static void quote_first_line(struct buf *out, const char *bytes, size_t length)
{
    enum { MOST = 40 };
    size_t start = 0, end;
    while (start < length && strchr(" \t\r\n", bytes[start]) != NULL)
        start++;
    for (end = start; end < length && bytes[end] != '\n' && bytes[end] != '\r' && end - start < MOST;)
        end++;
    while (end > start && ((unsigned char)bytes[end - 1] & 0x80) != 0) /* not through a character */
        end--;
    struct buf line = { 0 };
    buf_add(&line, bytes + start, end - start);
    text_escape(out, buf_text(&line));
    buf_deinit(&line);
}

int capture_refuse(const char *path, const char *bytes, size_t length, struct error *err)
{
    const char *what = describe(bytes, length);
    if (what != NULL)
        return error_set(err, -EBADMSG, path,
            "looks like %s; read is the text of ss, netstat, lsof -i, Get-NetTCPConnection, TCPView or conntrack, and "
            "what tcpwhy capture saves; " ASK_ANY,
            what);
    const struct known_text *known = find_known(bytes, length);
    if (known != NULL)
        return error_set(err, -EBADMSG, path, "looks like %s; %s", known->what, known->ask);
    struct buf line = { 0 };
    quote_first_line(&line, bytes, length);
    int result = error_set(err, -EBADMSG, path,
        "is text without a row or a number of connections that is known, first \"%s\"; " ASK_ANY
        ", or lsof -nP -iTCP; 'man tcpwhy' tells what else is read",
        buf_text(&line));
    buf_deinit(&line);
    return result;
}
