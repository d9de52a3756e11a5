/*
 * Get-NetTCPConnection | Format-List:
 *
 *   LocalAddress   : 10.0.0.5
 *   LocalPort      : 49700
 *
 * PowerShell ends a record with a blank line. Mail programs remove blank lines. Then a record ends where the next
 * LocalAddress comes, which is the first property in the view of the class MSFT_NetTCPConnection. If the text also
 * begins in the middle of a record, nothing shows where a record ends, and nothing of it is used.
 */
#include "source/capture/formats/powershell.h"

#define BIT(property) (1U << (property))

enum {
    /*
     * Properties that a record has once. A name or PID may be there twice: as OwningProcess and as an added property.
     */
    ONCE = BIT(PROPERTY_LOCAL_ADDRESS) | BIT(PROPERTY_LOCAL_PORT) | BIT(PROPERTY_REMOTE_ADDRESS) |
        BIT(PROPERTY_REMOTE_PORT) | BIT(PROPERTY_STATE),
    ENDS = ONCE & ~BIT(PROPERTY_STATE),
};

/* Get-NetUDPEndpoint prints these, without a remote endpoint. An incomplete record of TCP has no PID after them. */
static bool is_of_udp(const struct powershell_list *list)
{
    unsigned local = BIT(PROPERTY_LOCAL_ADDRESS) | BIT(PROPERTY_LOCAL_PORT);
    unsigned others = BIT(PROPERTY_PROCESS) | BIT(PROPERTY_CREATED) | BIT(PROPERTY_LIFE);
    return (list->seen & ~others) == (local | BIT(PROPERTY_PID));
}

/* True if the record is of a connection. Lists of services and processes also have State, Name and ProcessId. */
static bool is_part_of_conn(struct capture *capture, const struct powershell_list *list)
{
    const struct token *state = &list->record.record.values[PROPERTY_STATE];
    if (list->seen & ENDS)
        return true;
    return state->text != NULL && state_words_find(&capture->state_words, state->text, state->length) != STATE_UNKNOWN;
}

/* Ends the record and returns its kind. A damaged record is reported by its first line. */
static enum line_kind end_record(struct capture *capture, struct powershell_list *list)
{
    enum line_kind kind = LINE_OTHER;
    if (is_of_udp(list))
        kind = LINE_FOREIGN;
    else if (is_part_of_conn(capture, list))
        kind = list->mixed ? LINE_MALFORMED : conn_record_add(capture, &list->record.record);
    list->record.record = (struct conn_record){ 0 };
    list->seen = 0;
    if (kind == LINE_MALFORMED && capture->first_malformed.number == 0)
        capture->first_malformed = list->begin;
    return kind;
}

static void begin_record(struct powershell_list *list, const struct line *line)
{
    size_t most = sizeof list->begin.text - 1;
    size_t length = line->length < most ? line->length : most;
    list->begin.number = line->number;
    memcpy(list->begin.text, line->text, length);
    list->begin.text[length] = '\0';
}

/* Handles a property that the record already has: another record has begun. */
static enum line_kind begin_next(struct capture *capture, struct powershell_list *list, enum property property)
{
    bool is_begin = list->begins_with_end && property == PROPERTY_LOCAL_ADDRESS;
    list->mixed |= !is_begin;
    enum line_kind kind = end_record(capture, list);
    list->mixed = !is_begin;
    return kind;
}

static void set_value(struct powershell_list *list, enum property property, const char *value)
{
    value += strspn(value, " \t");
    size_t length = strlen(value);
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    if (length > 0)
        stored_record_set(&list->record, property, value, length);
}

static enum line_kind end_at_blank_line(struct capture *capture, struct powershell_list *list)
{
    enum line_kind kind = list->seen != 0 ? end_record(capture, list) : LINE_OTHER;
    list->mixed = false;
    list->seen = 0;
    return kind;
}

enum line_kind powershell_list_row(struct capture *capture, const struct line *line)
{
    struct powershell_list *list = capture->state;
    const char *text = line->text + strspn(line->text, " \t\f");
    if (*text == '\0')
        return end_at_blank_line(capture, list);
    size_t length = strcspn(text, " :");
    const char *colon = text + length + strspn(text + length, " ");
    enum property property = property_find(text, length);
    if (*colon != ':' || property == PROPERTY_NONE)
        return *colon == ':' && list->seen != 0 ? LINE_DETAIL : LINE_OTHER;
    enum line_kind kind = LINE_DETAIL;
    if (list->seen & ONCE & BIT(property) ||
        (property == PROPERTY_LOCAL_ADDRESS && list->seen != 0 && list->begins_with_end)) {
        kind = begin_next(capture, list, property);
        kind = kind == LINE_OTHER ? LINE_DETAIL : kind;
    } else if (list->seen == 0) {
        list->begins_with_end = property == PROPERTY_LOCAL_ADDRESS;
    }
    if (list->seen == 0)
        begin_record(list, line);
    list->seen |= BIT(property);
    set_value(list, property, colon + 1);
    return kind;
}

void powershell_list_finish(struct capture *capture)
{
    struct powershell_list *list = capture->state;
    enum line_kind kind = end_at_blank_line(capture, list);
    if (kind != LINE_OTHER)
        capture_count(capture, kind);
}
