/*
 * What people paste after netstat when a port stays in use: a command that asks for one process, and the answer that
 * there is none.
 *
 *   > taskkill /pid 15136
 *   ERROR: The process "15136" not found.
 *   FEHLER: Der Prozess "15136" wurde nicht gefunden.
 *
 *   > tasklist /FI "PID eq 15136"
 *   INFO: No tasks are running which match the specified criteria.
 *
 *   > Get-Process -Id 15136
 *   Get-Process : Cannot find a process with the process identifier 15136.
 *       + CategoryInfo          : ObjectNotFound: (15136:Int32) [Get-Process], ProcessCommandException
 *
 * This is the only answer of taskkill that has the number in quotes. A process that it ended, or could not end, is
 * called "PID 15136": that process existed when the rows above were printed. If a second taskkill does not find it, the
 * first one is the reason.
 */
#include "source/capture/formats/numbers.h"

#include <string.h>
#include <strings.h>

static bool contains(const uint32_t *pids, unsigned count, uint64_t pid)
{
    for (unsigned i = 0; i < count; i++) {
        if (pids[i] == pid)
            return true;
    }
    return false;
}

static void note_pid(uint32_t *pids, unsigned *count, uint64_t pid)
{
    if (*count < NUMBERS_ENDED_MAX && !contains(pids, *count, pid))
        pids[(*count)++] = (uint32_t)pid;
}

static void note_ended(struct numbers *numbers, uint64_t pid)
{
    enum { SYSTEM = 4 };
    if (pid > SYSTEM && !contains(numbers->alive, numbers->alive_count, pid))
        note_pid(numbers->ended, &numbers->ended_count, pid);
}

/* Reads a number. False if there is none. */
static bool scan_pid(const char *text, uint64_t *ret_pid)
{
    struct token token = { text, strspn(text, "0123456789") };
    return token.length > 0 && token_number(&token, UINT32_MAX, ret_pid);
}

/* "process", "Prozess", "processus", "proceso" or "processo" with the number in quotes before or after it. */
static bool is_answer_of_taskkill(const char *text, uint64_t *ret_pid)
{
    const char *quote = strchr(text, '"'), *colon = strchr(text, ':');
    if (quote == NULL || colon == NULL || colon > quote || !scan_pid(quote + 1, ret_pid))
        return false;
    bool is_process = strcasestr(colon, "proces") != NULL || strcasestr(colon, "prozess") != NULL;
    return is_process && quote[1 + strspn(quote + 1, "0123456789")] == '"';
}

/* "SUCCESS: The process with PID 15136 has been terminated.", "FEHLER: Der Prozess mit PID 15136 …" */
static bool is_found_by_taskkill(const char *text, uint64_t *ret_pid)
{
    static const char word[] = " PID ";
    const char *colon = strchr(text, ':'), *found = colon != NULL ? strstr(colon, word) : NULL;
    return found != NULL && scan_pid(found + strlen(word), ret_pid);
}

/* The message is translated; the text after CategoryInfo is not. */
static bool is_answer_of_powershell(const char *text, uint64_t *ret_pid)
{
    static const char *const words[] = { "ObjectNotFound: (", "process identifier " };
    if (strstr(text, "-Process") == NULL)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *found = strstr(text, words[i]);
        if (found != NULL && scan_pid(found + strlen(words[i]), ret_pid))
            return true;
    }
    return false;
}

/* tasklist | findstr 15136. If there is no such process, the next prompt follows at once. */
static bool is_search(const char *text, uint64_t *ret_pid)
{
    const char *tasklist = strcasestr(text, "tasklist"), *bar = tasklist != NULL ? strchr(tasklist, '|') : NULL;
    if (bar == NULL || (strcasestr(bar, "find") == NULL && strcasestr(bar, "sls") == NULL))
        return false;
    const char *number = strpbrk(bar, "0123456789");
    return number != NULL && strchr(" \"'", number[-1]) != NULL && scan_pid(number, ret_pid);
}

/* tasklist /FI "PID eq 15136", wmic process where processid=15136 get name. The next line shows whether it exists. */
static bool is_question(const char *text, uint64_t *ret_pid)
{
    static const char *const words[] = { "PID eq ", "processid=", "processid = " };
    if (strcasestr(text, "tasklist") == NULL && strcasestr(text, "wmic") == NULL)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *found = strcasestr(text, words[i]);
        if (found == NULL)
            continue;
        found += strlen(words[i]);
        if (scan_pid(found + strspn(found, "'\""), ret_pid))
            return true;
    }
    return false;
}

/*
 * "INFO:", "INFORMATION:", "INFORMACIÓN:" of tasklist, which uses this form only for this answer; and "No Instance(s)
 * Available." of wmic.
 */
static bool is_nothing_found(const char *text)
{
    return strncmp(text, "INFO", strlen("INFO")) == 0 || strncmp(text, "No Instance", strlen("No Instance")) == 0 ||
        strncmp(text, "Keine Instanz", strlen("Keine Instanz")) == 0;
}

/* "C:\>", "PS C:\Users\me>" */
static bool is_prompt(const char *text)
{
    const char *end = strchr(text, '>');
    return end != NULL && end > text && memchr(text, '\\', (size_t)(end - text)) != NULL;
}

bool ended_line(struct capture *capture, const struct line *line)
{
    enum { LENGTH_MAX = 512 };
    struct numbers *numbers = &capture->numbers;
    const char *text = line->text + strspn(line->text, " \t");
    uint32_t asked = numbers->asked_pid;
    uint64_t pid = 0;
    if (line->length > LENGTH_MAX || *text == '\0')
        return false;
    numbers->asked_pid = 0;
    if (asked != 0 && (numbers->asked_by_search ? is_prompt(text) : is_nothing_found(text)))
        note_ended(numbers, asked);
    numbers->asked_by_search = is_search(text, &pid);
    if (numbers->asked_by_search || is_question(text, &pid))
        numbers->asked_pid = (uint32_t)pid;
    else if (is_answer_of_taskkill(text, &pid) || is_answer_of_powershell(text, &pid))
        note_ended(numbers, pid);
    else if (is_found_by_taskkill(text, &pid))
        note_pid(numbers->alive, &numbers->alive_count, pid);
    else
        return false;
    return true;
}

/*
 * Only a complete list shows that a process has ended. A filtered list lacks the idle process and the system process; a
 * cut list lacks the processes near its end.
 */
static bool is_whole(const struct task_list *list)
{
    return list->has_idle && list->has_system && list->has_end && list->marks == 0;
}

static bool may_end(const struct process *process)
{
    enum { SYSTEM = 4 };
    return process->pid > SYSTEM && process->name == NULL;
}

/* If the list lacks most processes of the rows, it is of another host or another time, and nothing is marked. */
static void mark_unlisted(struct capture *capture)
{
    enum { FEW = 2 };
    struct snapshot *snapshot = capture->snapshot;
    size_t missing = 0, named = 0;
    for (size_t p = 0; p < snapshot->process_count; p++) {
        missing += may_end(&snapshot->processes[p]);
        named += snapshot->processes[p].name != NULL;
    }
    if (missing > FEW && missing > named)
        return;
    for (size_t p = 0; p < snapshot->process_count; p++) {
        if (may_end(&snapshot->processes[p]))
            snapshot->processes[p].state = PROCESS_UNLISTED;
    }
}

void ended_settle(struct capture *capture)
{
    struct snapshot *snapshot = capture->snapshot;
    if (capture->os == NULL || strcmp(capture->os, "windows") != 0)
        return;
    if (is_whole(&capture->task_list) && capture->left_out.marks == 0)
        mark_unlisted(capture);
    for (unsigned i = 0; i < capture->numbers.ended_count; i++) {
        for (size_t p = 0; p < snapshot->process_count; p++) {
            struct process *process = &snapshot->processes[p];
            if (process->pid == capture->numbers.ended[i] && (process->name == NULL || capture->task_list.count == 0))
                process->state = PROCESS_ENDED;
        }
    }
}
