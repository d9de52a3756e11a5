/*
 * Windows: sockets of processes that have ended. What proves it, and what does not: a filtered or cut list, another
 * answer of the same commands, and PIDs that belong to no process.
 */
#include "diagnose/diagnose.h"

#include <string.h>

#include "captured.h"
#include "unit.h"

#define LISTENER "  TCP    0.0.0.0:5665    0.0.0.0:0    LISTENING    15136\n"
#define OTHER "  TCP    0.0.0.0:135    0.0.0.0:0    LISTENING    1044\n"
#define TASKS "Image Name PID Session Name\n========================= ======== ================\n"
#define IDLE "System Idle Process              0 Services        \n"
#define SYSTEM "System                           4 Services        \n"
#define SERVICE "svchost.exe                   1044 Services        \n"
#define ITSELF "tasklist.exe                  9000 Console         \n"
#define PROCESSES                                                                                                      \
    "\nHandles  NPM(K)    PM(K)      WS(K)     CPU(s)     Id  SI ProcessName\n"                                        \
    "-------  ------    -----      -----     ------     --  -- -----------\n"                                          \
    "      0       0       60          8                 0   0 Idle\n"                                                 \
    "    210      13     2996      11644       0.05   1044   1 svchost\n"                                              \
    "   4000       0      200        144                 4   0 System\n"

struct scene {
    const char *what, *text, *expected; /* ids with counts */
};

static const struct scene scenes[] = {
    { "taskkill did not find it", LISTENER "C:\\>taskkill /pid 15136\nERROR: The process \"15136\" not found.\n",
        "owner-ended 1" },
    { "in French", LISTENER "Erreur : le processus \"15136\" est introuvable.\n", "owner-ended 1" },
    { "taskkill ended it: the answer to that names no number in quotes",
        LISTENER "SUCCESS: Sent termination signal to the process with PID 15136.\n", "" },
    { "taskkill ended it after the rows were made, so that a second one does not find it",
        LISTENER "SUCCESS: The process with PID 15136 has been terminated.\n"
                 "ERROR: The process \"15136\" not found.\n",
        "" },
    { "the same in German",
        LISTENER "ERFOLGREICH: Der Prozess mit PID 15136 wurde beendet.\n"
                 "FEHLER: Der Prozess \"15136\" wurde nicht gefunden.\n",
        "" },
    { "wmic finds nothing, in German",
        LISTENER "C:\\>wmic process where processid=15136 get name\nKeine Instanz(en) verfügbar.\n", "owner-ended 1" },
    { "taskkill may not end it",
        LISTENER "ERROR: The process with PID 15136 could not be terminated.\nReason: Access is denied.\n", "" },
    { "another process was not found", LISTENER "ERROR: The process \"15137\" not found.\n", "" },
    { "a name was not found", LISTENER "ERROR: The process \"app.exe\" not found.\n", "" },
    { "tasklist finds nothing",
        LISTENER "C:\\>tasklist /FI \"PID eq 15136\"\nINFO: No tasks are running which match the specified criteria.\n",
        "owner-ended 1" },
    { "tasklist finds it",
        LISTENER "C:\\>tasklist /FI \"PID eq 15136\"\n" TASKS "app.exe                      15136 Services        \n",
        "" },
    { "findstr finds nothing", LISTENER "C:\\>tasklist | findstr 15136\n\nC:\\>exit\n", "owner-ended 1" },
    { "findstr finds it",
        LISTENER "C:\\>tasklist | findstr 15136\napp.exe                      15136 Services        \nC:\\>exit\n",
        "" },
    { "what findstr printed was not pasted", LISTENER "C:\\>tasklist | findstr 15136\n", "" },
    { "wmic finds nothing", LISTENER "C:\\>wmic process where processid=15136 get name\nNo Instance(s) Available.\n",
        "owner-ended 1" },
    { "Get-Process finds nothing",
        LISTENER "Get-Process : Cannot find a process with the process identifier 15136.\nAt line:1 char:1\n",
        "owner-ended 1" },
    { "Get-Process, in words that are not known",
        LISTENER "    + CategoryInfo          : ObjectNotFound: (15136:Int32) [Get-Process], ProcessCommandException\n",
        "owner-ended 1" },
    { "a whole list lacks it", LISTENER OTHER "\n" TASKS IDLE SYSTEM SERVICE ITSELF, "owner-ended 1" },
    { "a list with it",
        LISTENER OTHER "\n" TASKS IDLE SYSTEM SERVICE "app.exe                      15136 Services        \n" ITSELF,
        "" },
    { "a filtered list", LISTENER OTHER "\n" TASKS SERVICE ITSELF, "" },
    { "a list that was cut", LISTENER OTHER "\n" TASKS IDLE SYSTEM SERVICE, "" },
    { "a list that says that it was shortened", LISTENER OTHER "\n" TASKS IDLE SYSTEM SERVICE "...\n" ITSELF, "" },
    { "Get-Process to its last letters",
        LISTENER OTHER PROCESSES "    280      10     1400       7000       0.05    600   0 wininit\n",
        "owner-ended 1" },
    { "Get-Process cut", LISTENER OTHER PROCESSES, "" },
    { "a list of another host lacks most",
        LISTENER "  TCP    0.0.0.0:80    0.0.0.0:0    LISTENING    20001\n"
                 "  TCP    0.0.0.0:81    0.0.0.0:0    LISTENING    20002\n" OTHER "\n" TASKS IDLE SYSTEM SERVICE ITSELF,
        "" },
    { "nobody, and the kernel",
        "  TCP    10.0.0.5:80    10.1.2.3:50122    TIME_WAIT    0\n"
        "  TCP    0.0.0.0:445    0.0.0.0:0    LISTENING    4\nERROR: The process \"4\" not found.\n",
        "" },
    { "closed before it ended",
        "  TCP    10.0.0.5:80    10.1.2.3:50122    FIN_WAIT_2    15136\n"
        "ERROR: The process \"15136\" not found.\n",
        "fin-wait-2-orphaned 1" },
    { "listener and connections are one finding",
        LISTENER
        "  TCP    10.0.0.5:5665    10.1.2.3:50122    CLOSE_WAIT    15136\n"
        "  TCP    10.0.0.5:5665    10.1.2.3:50123    ESTABLISHED    15136\nERROR: The process \"15136\" not found.\n",
        "owner-ended 3" },
    { "Linux names the child itself",
        "tcp   0   0 0.0.0.0:5665   0.0.0.0:*   LISTEN   15136/app\nERROR: The process \"15136\" not found.\n", "" },
};

static void what_proves_that_a_process_has_ended(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        const struct scene *scene = &scenes[i];
        struct snapshot snapshot;
        struct diagnosis diagnosis;
        struct buf found = { 0 };
        captured(&snapshot, scene->text, strlen(scene->text));
        diagnose(&snapshot, NULL, NULL, &diagnosis);
        for (size_t f = 0; f < diagnosis.finding_count; f++)
            buf_printf(
                &found, "%s%s %u", f > 0 ? ", " : "", diagnosis.findings[f].id, (unsigned)diagnosis.findings[f].count);
        if (strcmp(buf_text(&found), scene->expected) != 0)
            fail_msg("%s:\nexpected: %s\nfound: %s", scene->what, scene->expected, buf_text(&found));
        diagnosis_deinit(&diagnosis);
        snapshot_deinit(&snapshot);
        buf_deinit(&found);
    }
}

static bool is_proven(const struct finding *finding, const char *words)
{
    for (size_t i = 0; i < finding->evidence.count; i++) {
        if (strstr(finding->evidence.items[i], words) != NULL)
            return true;
    }
    return false;
}

/* Two listeners on one port. If a list of processes was given, the report does not ask for one. */
static void two_listeners_are_named(void **state)
{
    (void)state;
    static const char text[] = LISTENER
        "  TCP    0.0.0.0:5665    0.0.0.0:0    LISTENING    1044\n\n" TASKS IDLE SYSTEM SERVICE ITSELF;
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    captured(&snapshot, text, sizeof text - 1);
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 1);
    assert_true(is_proven(&diagnosis.findings[0], "svchost.exe (pid 1044) listens on port 5665 too"));
    assert_true(is_proven(&diagnosis.findings[0], "The list of all processes lacks 15136"));
    /* The list may be of another time. So it does not prove it, unlike a command that asked for that process. */
    assert_true(is_proven(&diagnosis.findings[0], "take both at one moment"));
    assert_int_equal(diagnosis.findings[0].confidence, CONFIDENCE_POSSIBLE);
    for (size_t i = 0; i < snapshot.gap_count; i++)
        assert_string_not_equal(snapshot.gaps[i].id, "processes-unnamed");
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_proves_that_a_process_has_ended),
        cmocka_unit_test(two_listeners_are_named),
    };
    return cmocka_run_group_tests_name("owner_ended", tests, NULL, NULL);
}
