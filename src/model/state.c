#include "model/state.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static const char *const names[STATE_COUNT] = {
    [STATE_UNKNOWN] = "UNKNOWN",
    [STATE_CLOSED] = "CLOSED",
    [STATE_LISTEN] = "LISTEN",
    [STATE_SYN_SENT] = "SYN_SENT",
    [STATE_SYN_RECEIVED] = "SYN_RECEIVED",
    [STATE_ESTABLISHED] = "ESTABLISHED",
    [STATE_FIN_WAIT_1] = "FIN_WAIT_1",
    [STATE_FIN_WAIT_2] = "FIN_WAIT_2",
    [STATE_CLOSE_WAIT] = "CLOSE_WAIT",
    [STATE_CLOSING] = "CLOSING",
    [STATE_LAST_ACK] = "LAST_ACK",
    [STATE_TIME_WAIT] = "TIME_WAIT",
    [STATE_BOUND] = "BOUND",
};

/*
 * Other spellings, without case, spaces, hyphens and underscores: Windows and German Windows netstat, PowerShell's
 * Get-NetTCPConnection, Linux net-tools, ss, the BSDs, Solaris. A spelling that only differs in these from the usual
 * name is not listed here.
 */
static const struct {
    const char *spelling;
    enum conn_state state;
} spellings[] = {
    { "close", STATE_CLOSED },
    { "unconn", STATE_CLOSED },
    { "deletetcb", STATE_CLOSED },
    { "idle", STATE_CLOSED },
    { "listening", STATE_LISTEN },
    { "abhören", STATE_LISTEN },
    { "abhÖren", STATE_LISTEN },
    { "abhoeren", STATE_LISTEN },
    { "syngesendet", STATE_SYN_SENT },
    { "synrecv", STATE_SYN_RECEIVED },
    { "synrcvd", STATE_SYN_RECEIVED },
    { "newsynrecv", STATE_SYN_RECEIVED },
    { "synempfangen", STATE_SYN_RECEIVED },
    { "estab", STATE_ESTABLISHED },
    { "hergestellt", STATE_ESTABLISHED },
    { "finwarten1", STATE_FIN_WAIT_1 },
    { "finwarten2", STATE_FIN_WAIT_2 },
    { "schliessenwarten", STATE_CLOSE_WAIT },
    { "letztesack", STATE_LAST_ACK },
    { "wartend", STATE_TIME_WAIT },
    { "schliessend", STATE_CLOSING },
    { "zuletztack", STATE_LAST_ACK },
    /* net-tools in German, Czech, Portuguese (the translations of Debian 12) and Spanish. */
    { "verbunden", STATE_ESTABLISHED },
    { "spojeno", STATE_ESTABLISHED },
    { "poslednÍ", STATE_LAST_ACK }, /* "POSLEDNÍ ACK" */
    { "zavÍrÁ", STATE_CLOSING },
    { "zavŘen", STATE_CLOSED },
    { "naslouchÁ", STATE_LISTEN },
    { "estabelecida", STATE_ESTABLISHED },
    { "esperandofechar", STATE_CLOSE_WAIT },
    { "esperafin1", STATE_FIN_WAIT_1 },
    { "esperafin2", STATE_FIN_WAIT_2 },
    { "Últimoack", STATE_LAST_ACK },
    { "\xdaltimoack", STATE_LAST_ACK }, /* ISO 8859-1 */
    { "fechando", STATE_CLOSING },
    { "fechar", STATE_CLOSED },
    { "ouÇa", STATE_LISTEN },
    { "synenviado", STATE_SYN_SENT },
    { "synrecebido", STATE_SYN_RECEIVED },
    { "establecido", STATE_ESTABLISHED },
    { "escuchar", STATE_LISTEN },
};

/* Copies text without spaces, hyphens and underscores. Returns 0, or -1 if it is too long for any state. */
static int plain(const char *text, char *out, size_t size)
{
    size_t length = 0;
    for (; *text != '\0'; text++) {
        if (*text == '_' || *text == '-' || *text == ' ')
            continue;
        if (length + 1 >= size)
            return -1;
        out[length++] = (char)tolower((unsigned char)*text);
    }
    out[length] = '\0';
    return 0;
}

const char *state_name(enum conn_state state)
{
    return (unsigned)state < STATE_COUNT ? names[state] : names[STATE_UNKNOWN];
}

enum conn_state state_parse(const char *text)
{
    char wanted[32];
    if (plain(text, wanted, sizeof wanted) < 0)
        return STATE_UNKNOWN;
    if (wanted[0] >= '0' && wanted[0] <= '9') {
        unsigned number = 0;
        for (const char *digit = wanted; *digit != '\0'; digit++) {
            if (*digit < '0' || *digit > '9' || digit - wanted > 2)
                return STATE_UNKNOWN;
            number = number * 10 + (unsigned)(*digit - '0');
        }
        if (number == 12) /* MIB_TCP_STATE_DELETE_TCB */
            return STATE_CLOSED;
        if (number == 100) /* Get-NetTCPConnection's Bound */
            return STATE_BOUND;
        return number < STATE_BOUND ? (enum conn_state)number : STATE_UNKNOWN;
    }
    for (int state = STATE_CLOSED; state < STATE_COUNT; state++) {
        char name[32];
        if (plain(names[state], name, sizeof name) == 0 && strcmp(name, wanted) == 0)
            return (enum conn_state)state;
    }
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        if (strcmp(spellings[i].spelling, wanted) == 0)
            return spellings[i].state;
    }
    return STATE_UNKNOWN;
}

static const enum conn_state linux_states[] = {
    [1] = STATE_ESTABLISHED,
    [2] = STATE_SYN_SENT,
    [3] = STATE_SYN_RECEIVED,
    [4] = STATE_FIN_WAIT_1,
    [5] = STATE_FIN_WAIT_2,
    [6] = STATE_TIME_WAIT,
    [7] = STATE_CLOSED,
    [8] = STATE_CLOSE_WAIT,
    [9] = STATE_LAST_ACK,
    [10] = STATE_LISTEN,
    [11] = STATE_CLOSING,
    [12] = STATE_SYN_RECEIVED, /* TCP_NEW_SYN_RECV: a request socket */
    [LINUX_STATE_BOUND] = STATE_BOUND,
};

enum conn_state state_from_linux(unsigned kernel_state)
{
    return kernel_state < sizeof linux_states / sizeof *linux_states ? linux_states[kernel_state] : STATE_UNKNOWN;
}

uint32_t states_to_linux(uint32_t states)
{
    uint32_t mask = 0;
    for (unsigned i = 1; i < sizeof linux_states / sizeof *linux_states; i++) {
        if ((states & STATE_BIT(linux_states[i])) != 0)
            mask |= 1U << i;
    }
    return mask;
}

bool state_may_begin(const char *text)
{
    char wanted[32], name[32];
    if (plain(text, wanted, sizeof wanted) < 0)
        return false;
    size_t length = strlen(wanted);
    for (int state = STATE_CLOSED; state < STATE_COUNT; state++) {
        if (plain(names[state], name, sizeof name) == 0 && strncmp(name, wanted, length) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        if (strncmp(spellings[i].spelling, wanted, length) == 0)
            return true;
    }
    return false;
}
