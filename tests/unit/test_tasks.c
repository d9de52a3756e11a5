/* Lists of processes that give the PIDs of a capture their names. */
#include "source/capture/formats/tasks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/capture/capture.h"
#include "source/capture/input/charset.h"
#include "unit.h"
#include "source/capture/input/open.h"

static const char *const lists[] = {
    "\r\nImage Name                     PID Session Name        Session#    Mem Usage\r\n"
    "========================= ======== ================ =========== ============\r\n"
    "System Idle Process              0 Services                   0          8 K\r\n"
    "my service.exe                1044 Services                   0     12,345 K\r\n"
    "Memory Compression         1234567 Services                   0     12,345 K\r\n",

    "Abbildname                     PID Sitzungsname       Sitz.-Nr. Speichernutzung\n"
    "========================= ======== ================ =========== ===============\n"
    "my service.exe                1044 Services                   0        12.345 K\n"
    "Memory Compression         1234567 Services                   0        12.345 K\n",

    "\"Image Name\",\"PID\",\"Session Name\"\r\n\"my service.exe\",\"1044\",\"Services\"\r\n"
    "\"Memory Compression\",\"1234567\",\"Services\"\r\n",

    "Image Name:   my service.exe\r\nPID:          1044\r\nSession Name: Services\r\n\r\n"
    "Image Name:   Memory Compression\r\nPID:          1234567\r\n",

    "Handles  NPM(K)    PM(K)      WS(K)     CPU(s)     Id  SI ProcessName\n"
    "-------  ------    -----      -----     ------     --  -- -----------\n"
    "    210      13     2996      11644       0.05   1044   1 my service.exe\n"
    "      0       0     2996      11644            1234567   0 Memory Compression\n",

    "     Id ProcessName\n     -- -----------\n   1044 my service.exe\n1234567 Memory Compression\n",

    "ProcessName             Id\n-----------             --\nmy service.exe        1044\nMemory Compression 1234567\n",

    /* CSV of Get-Process: any order, any separator, and other columns of numbers. */
    "\"Name\",\"SI\",\"Handles\",\"Id\"\n\"my service.exe\",\"8\",\"300\",\"1044\"\n"
    "\"Memory Compression\",\"7\",\"0\",\"1234567\"\n",

    "#TYPE Selected.System.Diagnostics.Process\r\n\"Id\",\"ProcessName\"\r\n\"1044\",\"my service.exe\"\r\n"
    "\"1234567\",\"Memory Compression\"\r\n",

    "Id;ProcessName\n1044;my service.exe\n1234567;Memory Compression\n",

    "\"ProcessName\"\t\"Id\"\n\"my service.exe\"\t\"1044\"\n\"Memory Compression\"\t\"1234567\"\n",

    /* CSV of tasklist: translated, with any separator, or without headings; a window title may equal a heading. */
    "\"Abbildname\";\"PID\";\"Sitzungsname\"\n\"my service.exe\";\"1044\";\"Services\"\n"
    "\"Memory Compression\";\"1234567\";\"Services\"\n",

    "\"my service.exe\",\"1044\",\"Services\",\"PID\"\n\"Memory Compression\",\"1234567\",\"Services\",\"N/A\"\n",

    /* Get-Process | Format-List: in either order, with blank lines and without. */
    "Id          : 1044\nHandles     : 7\nSI          : 8\nProcessName : my service.exe\n\n"
    "Id          : 1234567\nHandles     : 8\nSI          : 0\nProcessName : Memory Compression\n",

    "Name : my service.exe\nSI : 7\nId : 1044\n\nName : Memory Compression\nSI : 8\nId : 1234567\n\n",

    "Id : 1044\nName : my service.exe\nId : 1234567\nName : Memory Compression\n",

    "Image Name:   my service.exe\nPID:          1044\nImage Name:   Memory Compression\nPID:          1234567\n",

    /* The text begins in the middle of a record. */
    "Name : x\n\nId : 1044\nName : my service.exe\n\nId : 8\n\nId : 1234567\nName : Memory Compression\n",

    /* Quoted in a mail. */
    "> > Image Name                     PID Session Name        Session#    Mem Usage\n"
    "> > ========================= ======== ================ =========== ============\n"
    "> > my service.exe                1044 Services                   0     12,345 K\n"
    "> > Memory Compression         1234567 Services                   0     12,345 K\n",

    "> \"Id\",\"ProcessName\"\n> \"1044\",\"my service.exe\"\n> \"1234567\",\"Memory Compression\"\n",

    /* Between other tables. */
    "Image Name                     PID Session Name        Session#    Mem Usage\n"
    "========================= ======== ================ =========== ============\n"
    "my service.exe                1044 Services                   0     12,345 K\n\n"
    "LocalAddress LocalPort RemoteAddress RemotePort State\n------------ --------- ------------- ---------- -----\n"
    "10.0.0.5     8         10.1.2.3      8          Bound\n\n"
    "\"LocalAddress\",\"LocalPort\",\"State\"\n\"10.0.0.5\",\"8\",\"Bound\"\n"
    "LocalAddress : 10.0.0.5\nState : Bound\nPID : 8\n\n"
    "  TCP    10.0.0.5:8             10.1.2.3:8             CLOSE_WAIT      8\n\n"
    "Id : 1234567\nName : Memory Compression\n",
};

static void every_form_names_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct snapshot snapshot;
        struct input input;
        snapshot_init(&snapshot);
        struct capture capture = { .snapshot = &snapshot };
        uint32_t service = capture_process(&capture, 1044, "", 0);
        uint32_t memory = capture_process(&capture, 1234567, "", 0);
        uint32_t named = capture_process(&capture, 7, "named.exe", 9);
        uint32_t other = capture_process(&capture, 8, "", 0);
        input_open_bytes(&input, lists[i], strlen(lists[i]));
        assert_true(tasks_parse(&input, &capture) >= 2);
        if (snapshot.processes[service].name == NULL || snapshot.processes[memory].name == NULL)
            fail_msg("not named by\n%s", lists[i]);
        assert_string_equal(snapshot.processes[service].name, "my service.exe");
        assert_string_equal(snapshot.processes[memory].name, "Memory Compression");
        assert_string_equal(snapshot.processes[named].name, "named.exe");
        assert_null(snapshot.processes[other].name);
        assert_int_equal(snapshot.process_count, 4);
        input_close(&input);
        capture_deinit(&capture);
        snapshot_deinit(&snapshot);
    }
}

/* Positions are columns of the screen, where these characters take two; in a code page as in UTF-8. */
static void tables_of_east_asia(void **state)
{
    (void)state;
#define JAPANESE(heading, name)                                                                                        \
    heading "                     PID\n========================= ========\n" name ".exe              1044\n"
    static const char *const texts[] = {
        JAPANESE("イメージ名", "印刷サービス"),
        JAPANESE("\x83\x43\x83\x81\x81\x5b\x83\x57\x96\xbc", "\x88\xf3\x8d\xfc\x83\x54\x81\x5b\x83\x72\x83\x58"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct snapshot snapshot;
        struct input input;
        snapshot_init(&snapshot);
        struct capture capture = { .snapshot = &snapshot, .charset = charset_detect(texts[i], strlen(texts[i])) };
        uint32_t service = capture_process(&capture, 1044, "", 0);
        input_open_bytes(&input, texts[i], strlen(texts[i]));
        assert_int_equal(tasks_parse(&input, &capture), 1);
        assert_string_equal(snapshot.processes[service].name, "印刷サービス.exe");
        input_close(&input);
        capture_deinit(&capture);
        snapshot_deinit(&snapshot);
    }
}

#define CONNECTIONS                                                                                                    \
    "C:\\>netstat -ano\n\n  Proto  Local Address          Foreign Address        State           PID\n"                \
    "  TCP    10.0.0.5:9100          10.1.2.3:50122         CLOSE_WAIT      4312\n"                                    \
    "  TCP    10.0.0.5:4312          10.1.2.3:4312          CLOSE_WAIT      7\n\n"
#define TASKS                                                                                                          \
    "C:\\>tasklist\n\nImage Name                     PID Session Name        Session#    Mem Usage\n"                  \
    "========================= ======== ================ =========== ============\n"                                   \
    "java.exe                      4312 Services                   0     12,345 K\n"                                   \
    "my app.exe                       7 Services                   0     12,345 K\n\n"

/* As people paste it: one file with the connections and the processes serves as both captures. */
static void one_file_has_both(void **state)
{
    (void)state;
    static const char *const texts[] = { CONNECTIONS TASKS, TASKS CONNECTIONS };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char path[] = "/tmp/tcpwhy-tasks-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, texts[i], strlen(texts[i])), strlen(texts[i]));
        close(fd);
        struct snapshot snapshot;
        struct error err = { 0 };
        const struct capture_options options = { .path = path, .tasks = path };
        snapshot_init(&snapshot);
        if (capture_read(&options, &snapshot, &err) < 0)
            fail_msg("%s", err.message);
        unlink(path);
        assert_int_equal(snapshot.conn_count, 2);
        assert_int_equal(snapshot.process_count, 2);
        assert_string_equal(snapshot.processes[0].name, "java.exe");
        assert_string_equal(snapshot.processes[1].name, "my app.exe");
        snapshot_deinit(&snapshot);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_names_the_same),
        cmocka_unit_test(tables_of_east_asia),
        cmocka_unit_test(one_file_has_both),
    };
    return cmocka_run_group_tests_name("tasks", tests, NULL, NULL);
}
