/* What is said of a file without connections: what it is, or no more than is certain, and which command to ask for. */
#include "source/capture/refuse.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "unit.h"

struct refusal {
    const char *text, *says, *never;
};

static const struct refusal refusals[] = {
    { "", "it is empty", NULL },
    { "\n \n\t\n", "without words", NULL },
    { "[root@web ~]# uptime\n 10:00 up 3 days\n", "[root@web ~]# uptime", "JSON" },
    { "[{\"a\":1}]\n", "JSON without connections", NULL },
    { "{}\n", "JSON without connections", NULL },
    { "<html><body>502</body></html>\n", "HTML", NULL },
    { "<snip>\nnothing else\n", "first \"<snip>\"", "HTML" },
    { "PK\003\004aaaa", "a ZIP archive", NULL },
    { "%PDF-1.4\n", "a PDF", NULL },
    { "\001\002\003\004\005\006\177x", "binary data", NULL },
    { "# ss -s\nbash: ss: command not found\n", "not found; ask for netstat -tanpo", "Windows" },
    { "'ss' is not recognized as an internal or external command,\noperable program or batch file.\n", "netstat -ano",
        "ss -tan" },
    { "Active Connections\n\n  Proto  Local Address  Foreign Address  State\n", "heading of netstat", "Linux" },
    { "Active Internet connections (w/o servers)\nProto Recv-Q Send-Q Local Address Foreign Address State\n",
        "heading of netstat", "Windows" },
    { "10:11:12.123 IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [S], seq 1, win 64240, length 0\n", "tcpdump", NULL },
    { "  PID TTY          TIME CMD\n 1234 pts/0    00:00:00 bash\n", "(ps)", "netstat -ano" },
    { "Image Name    PID Session Name\n============= ======== ====\nSystem Idle Process  0 Services\n", "--tasks",
        NULL },
    { "Kernel IP routing table\nDestination Gateway Genmask Flags\n0.0.0.0 10.0.0.1 0.0.0.0 UG\n", "routes", NULL },
    { "Iface MTU RX-OK RX-ERR TX-OK\neth0 1500 1 0 1\n", "interfaces", NULL },
    { "2024-01-01 ERROR java.net.SocketException: Too many open files\n\tat java.net.Socket.x(Native Method)\n",
        "log of a program", NULL },
    { "Full thread dump OpenJDK 64-Bit Server VM (17):\n", "threads", NULL },
    { "PING 10.0.0.1 (10.0.0.1) 56(84) bytes of data.\n64 bytes from 10.0.0.1: icmp_seq=1\n", "ping", NULL },
    { "u_str  ESTAB 0 0 * 21542 * 21543\n", "UNIX", "UDP" },
    { "udp UNCONN 0 0 0.0.0.0:68 0.0.0.0:*\n", "UDP", "UNIX" },
    { "    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0\n", "addresses", NULL },
    { "USER     COMMAND    PID   FD  PROTO  LOCAL ADDRESS  FOREIGN ADDRESS\nroot sshd 812 4 tcp4 *:22 *:*\n",
        "sockstat", NULL },
    { "# HELP a b\n# TYPE a untyped\na 20\n", "metrics", NULL },
    { "Chain INPUT (policy ACCEPT)\ntarget prot opt source destination\n", "packet filter", NULL },
    { "Starting Nmap 7.80\nPORT   STATE SERVICE\n22/tcp open  ssh\n", "port scan", NULL },
    { "We have many CLOSE_WAIT connections, what should we do?\n", "We have many", NULL },
    { "name,port\nweb,80\n", "name,port", "netstat -an with" },
    { "LocalAddress LocalPort RemoteAddress RemotePort State\n------------ --------- ------------- ---------- -----\n",
        "Get-NetTCPConnection", "ss -tan" },
};

static void a_refusal_says_what_it_is_and_what_to_ask_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *refusal = &refusals[i];
        struct error err = { 0 };
        assert_int_equal(capture_refuse("f", refusal->text, strlen(refusal->text), &err), -EBADMSG);
        bool asks = strstr(err.message, "ask for") != NULL;
        if (strstr(err.message, refusal->says) == NULL || !asks || strlen(err.message) + 1 >= sizeof err.message)
            fail_msg("%s: %s", refusal->text, err.message);
        if (refusal->never != NULL && strstr(err.message, refusal->never) != NULL)
            fail_msg("%s: names %s: %s", refusal->text, refusal->never, err.message);
    }
}

/* What stands in the file is shown without control characters, and no longer than a line of a terminal. */
static void what_is_quoted_is_harmless(void **state)
{
    (void)state;
    static const char begin[] = "\033]0;title\007";
    char text[4096];
    struct error err;
    memset(text, 'x', sizeof text);
    for (size_t i = 0; begin[i] != '\0'; i++)
        text[i] = begin[i];
    assert_int_equal(capture_refuse("f", text, sizeof text, &err), -EBADMSG);
    assert_null(strchr(err.message, '\033'));
    assert_null(strchr(err.message, '\007'));
    assert_non_null(strstr(err.message, "ask for"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_says_what_it_is_and_what_to_ask_for),
        cmocka_unit_test(what_is_quoted_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
