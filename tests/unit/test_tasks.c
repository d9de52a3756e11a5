/* Lists of processes that name the PIDs of a capture. */
#include "source/capture/tasks.h"

#include <string.h>

#include "unit.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_form_names_the_same) };
    return cmocka_run_group_tests_name("tasks", tests, NULL, NULL);
}
