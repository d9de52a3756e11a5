/* What PowerShell prints of Get-NetTCPConnection: tables, lists, CSV, JSON. */
#include "source/capture/capture.h"

#include "captured.h"
#include "unit.h"

static void powershell(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        { "LocalAddress LocalPort RemoteAddress RemotePort State AppliedSetting OwningProcess\n"
          "------------ --------- ------------- ---------- ----- -------------- -------------\n"
          "10.0.0.5     80        10.1.2.3      5          CloseWait            812          \n"
          "::           80        ::            0          Listen               812          \n",
            "capture-powershell-table",
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:5 by 812/?\nLISTEN [::]:80 [::]:* by 812/?\n" NUMBERS_ONLY NOTHING_ELSE },
        { "LocalAddress : 10.0.0.5\nLocalPort : 80\nRemoteAddress : 10.1.2.3\nRemotePort : 5\nState : LastAck\n\n"
          "LocalAddress : ::1\nLocalPort : 81\nRemoteAddress : ::1\nRemotePort : 6\nState : TimeWait\n"
          "OwningProcess : 0\n",
            "capture-powershell-list", "LAST_ACK 10.0.0.5:80 10.1.2.3:5\nTIME_WAIT [::1]:81 [::1]:6\n" NOTHING_ELSE },
        { "\"State\",\"LocalAddress\",\"LocalPort\",\"RemoteAddress\",\"RemotePort\",\"ProcessName\"\n"
          "\"FinWait2\",\"10.0.0.5\",\"80\",\"10.1.2.3\",\"5\",\"say \"\"hi\"\", ho\"\n",
            "capture-powershell-csv", "FIN_WAIT_2 10.0.0.5:80 10.1.2.3:5 by 0/say \"\"hi\"\", ho\n" NOTHING_ELSE },
        { "{\"State\": 8, \"LocalAddress\": \"10.0.0.5\", \"LocalPort\": 80, \"RemoteAddress\": \"10.1.2.3\",\n"
          "\"RemotePort\": 5, \"OwningProcess\": 812, \"CimClass\": {\"State\": 5, \"LocalPort\": [1, {\"State\": "
          "2}]}}",
            "capture-powershell-json", "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:5 by 812/?\n" NUMBERS_ONLY NOTHING_ELSE },
        { "PS C:\\> Get-NetTCPConnection -State CloseWait | ConvertTo-Json\r\n{\r\n  \"State\" : \"CloseWait\",\r\n"
          "\"LocalAddress\" : \"::1\", \"LocalPort\" : 80, \"RemoteAddress\" : \"::1\", \"RemotePort\" : 5 }\r\n"
          "PS C:\\> ",
            "capture-powershell-json", "CLOSE_WAIT [::1]:80 [::1]:5\n" NOTHING_ELSE },
        { "[{\"State\":\"Bound\",\"LocalAddress\":\"::\",\"LocalPort\":80,\"RemoteAddress\":\"::\",\"RemotePort\":0,"
          "\"OwningProcess\":7,\"Process\":\"a\\u0062\\\\c\"}, {\"State\":100}]",
            "capture-powershell-json", "BOUND [::]:80 [::]:* by 7/ab\\c\ngap lines-not-understood\n" NOTHING_ELSE },
    };
    CHECK(cases);
}

#define CREATED "LocalPort : 80\nRemoteAddress : 10.1.2.3\nRemotePort : 5\nState : CloseWait\nCreationTime : "
#define RECORD(created) "LocalAddress : 10.0.0.5\n" CREATED created "\n"
#define LIFE(ms) "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:5 life=" ms "\n" NOTHING_ELSE

/* CreationTime and the date beside it. Fractions of a second are not read: a life is rounded up. */
static void creation_times(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        { "2026-01-31T12:03:11\n\n" RECORD("31.01.2026 11:58:02"), "capture-powershell-list", LIFE("310000") },
        { RECORD("1/31/2026 11:58:02 AM") "\nSaturday, January 31, 2026 12:03:11 PM\n", "capture-powershell-list",
            LIFE("310000") },
        { "mardi 3 mars 2026 12:03:11\n\n" RECORD("03/03/2026 11:58:02"), "capture-powershell-list", LIFE("310000") },
        { "2026\u5e741\u670831\u65e5 12:03:11\n\n" RECORD("2026/01/31 11:58:02"), "capture-powershell-list",
            LIFE("310000") },
        /* The day and the month may be either: the longer life. */
        { "2026-02-01T12:03:11\n\n" RECORD("1/2/2026 12:03:10 PM"), "capture-powershell-list", LIFE("2592002000") },
        /* Later than the moment of the capture, not a date, and no date beside it: nothing is known. */
        { "2026-01-31T12:03:11\n\n" RECORD("31.01.2026 12:58:02"), "capture-powershell-list",
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:5\n" NOTHING_ELSE },
        { "2026-01-31T12:03:11\n\n" RECORD("31.31.2026 11:58:02"), "capture-powershell-list",
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:5\n" NOTHING_ELSE },
        { RECORD("31.01.2026 11:58:02"), "capture-powershell-list",
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:5\n" NOTHING_ELSE },
        { "LocalAddress,LocalPort,RemoteAddress,RemotePort,State,Age\n"
          "10.0.0.5,80,10.1.2.3,5,CloseWait,1.00:00:02.1234567\n",
            "capture-powershell-csv", LIFE("86402000") },
    };
    CHECK(cases);
}

#define HEADINGS "LocalAddress LocalPort RemoteAddress RemotePort State     AppliedSetting OwningProcess ProcessName\n"
#define RULE "------------ --------- ------------- ---------- -----     -------------- ------------- -----------\n"
#define REFUSED "gap refused\n"
#define NOT_UNDERSTOOD "gap lines-not-understood\n"

static void cells_of_powershell_tables(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        /* A cell with blanks; and an empty cell beside it, so that there are as many words as columns. */
        { HEADINGS RULE
            "10.0.0.5          9100 10.1.2.3           50000 CloseWait Internet                4312 Docker Desktop\n"
            "10.0.0.5          9100 10.1.2.3           50001 CloseWait                         4313 My App\n",
            "capture-powershell-table",
            "CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50000 by 4312/Docker Desktop\n"
            "CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50001 by 4313/My App\n" NOTHING_ELSE },
        /* A mail made one blank of several: with a value for AppliedSetting and without one. */
        { HEADINGS RULE "10.0.0.5 9100 10.1.2.3 50000 CloseWait Internet 4312 Docker Desktop\n"
                        "10.0.0.5 9100 10.1.2.3 50001 CloseWait 4313 My App\n"
                        "10.0.0.5 9100 10.1.2.3 50002 CloseWait 4314 java\n",
            "capture-powershell-table",
            "CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50000 by 4312/Docker Desktop\n"
            "CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50001 by 4313/My App\n"
            "CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50002 by 4314/java\n" NOTHING_ELSE },
        /* Characters that take two columns, and one of three bytes, before the other cells of the row. */
        { "ProcessName   LocalAddress LocalPort RemoteAddress RemotePort State     OwningProcess\n"
          "-----------   ------------ --------- ------------- ---------- -----     -------------\n"
          "印刷 サービス 10.0.0.5          9100 10.1.2.3           50000 CloseWait          4312\n"
          "Docker Deskt… 10.0.0.5          9100 10.1.2.3           50001 CloseWait          4313\n",
            "capture-powershell-table",
            "CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50000 by 4312/印刷 サービス\n"
            "CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50001 by 4313/Docker Deskt…\n" NOTHING_ELSE },
        /* A heading with a blank, and an empty first column. */
        { "Process Name LocalAddress LocalPort RemoteAddress RemotePort State\n"
          "------------ ------------ --------- ------------- ---------- -----\n"
          "             10.0.0.5          9100 10.1.2.3           50000 Bound\n"
          "My App       10.0.0.5          9100 10.1.2.3           50001 Bound\n",
            "capture-powershell-table",
            "BOUND 10.0.0.5:9100 10.1.2.3:50000\nBOUND 10.0.0.5:9100 10.1.2.3:50001 by 0/My App\n" NOTHING_ELSE },
        /* A second table with other columns; and a table of another command. */
        { "LocalAddress LocalPort RemoteAddress RemotePort State\n"
          "------------ --------- ------------- ---------- -----\n"
          "10.0.0.5          9100 10.1.2.3           50000 Bound\n\x01\v\n"
          "AppliedSetting State LocalAddress LocalPort RemoteAddress RemotePort\n"
          "-------------- ----- ------------ --------- ------------- ----------\n"
          "               Bound 10.0.0.5          9100 10.1.2.3           50001\n\nLocalAddress LocalPort\n"
          "------------ ---------\n10.0.0.5     123\n",
            "capture-powershell-table",
            "BOUND 10.0.0.5:9100 10.1.2.3:50000\nBOUND 10.0.0.5:9100 10.1.2.3:50001\n" NOTHING_ELSE },
    };
    CHECK(cases);
}

static void rows_of_powershell_without_headings(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        { "10.0.0.5                            50001     10.1.2.3                            1433       CloseWait   "
          "Internet       4312\n"
          "::1                                 50002     ::1                                 1433       CloseWait   "
          "               4312\n"
          "0.0.0.0                             135       0.0.0.0                             0          Listen\n",
            "capture-powershell-table",
            "CLOSE_WAIT 10.0.0.5:50001 10.1.2.3:1433 by 4312/?\n"
            "CLOSE_WAIT [::1]:50002 [::1]:1433 by 4312/?\n"
            "LISTEN 0.0.0.0:135 0.0.0.0:*\n" NUMBERS_ONLY NOTHING_ELSE },
        /* A state that is none, a word in the place of a port, and a row with more words. */
        { "10.0.0.5 50001 10.1.2.3 1433 CloseWait Internet 4312\n10.0.0.5 50001 10.1.2.3 1433 Sleeping Internet 4312\n"
          "10.0.0.5 http 10.1.2.3 1433 CloseWait Internet 4312\n10.0.0.5 50001 10.1.2.3 1433 CloseWait Internet none\n",
            "capture-powershell-table",
            "CLOSE_WAIT 10.0.0.5:50001 10.1.2.3:1433 by 4312/?\n" NUMBERS_ONLY NOTHING_ELSE },
    };
    CHECK(cases);
}

static void columns_that_powershell_was_not_asked_for(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        { "LocalPort RemoteAddress RemotePort State     OwningProcess\n"
          "--------- ------------- ---------- -----     -------------\n"
          "     9100 10.1.2.3           50000 CloseWait          4312\n"
          "     9100 fe80::1            50001 CloseWait          4312\n",
            "capture-powershell-table",
            "CLOSE_WAIT 0.0.0.0:9100 10.1.2.3:50000 by 4312/?\n"
            "CLOSE_WAIT [::]:9100 [fe80::1]:50001 by 4312/?\n" NUMBERS_ONLY NOTHING_ELSE },
        { "LocalPort;RemoteAddress;RemotePort;State\n9100;10.1.2.3;50000;CloseWait\n", "capture-powershell-csv",
            "CLOSE_WAIT 0.0.0.0:9100 10.1.2.3:50000\n" NOTHING_ELSE },
        { "\"LocalAddress\",\"LocalPort\",\"RemoteAddress\",\"RemotePort\",\"State\",\"OwningProcess\"\n"
          "\"10.0.0.5\",\"9100\",\"10.1.2.3\",\"50000\",\"CloseWait\",\"4312\"\n"
          "\"LocalAddress\",\"LocalPort\",\"RemoteAddress\",\"RemotePort\",\"OwningProcess\",\"State\"\n"
          "\"10.0.0.6\",\"9100\",\"10.1.2.3\",\"50000\",\"8\",\"Bound\"\n",
            "capture-powershell-csv",
            "CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50000 by 4312/?\n"
            "BOUND 10.0.0.6:9100 10.1.2.3:50000 by 8/?\n" NUMBERS_ONLY NOTHING_ELSE },
        /* CSV of processes after it. */
        { "LocalAddress,LocalPort,RemoteAddress,RemotePort,State\n10.0.0.5,9100,10.1.2.3,50000,CloseWait\n\n"
          "Name,SI,Handles,Id,Path\njava,0,300,4312,\n",
            "capture-powershell-csv", "CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50000\n" NOTHING_ELSE },
        /* Something that a connection needs is missing. */
        { "LocalAddress LocalPort RemoteAddress RemotePort OwningProcess\n"
          "------------ --------- ------------- ---------- -------------\n"
          "10.0.0.5          9100 10.1.2.3           50000          4312\n",
            "capture-powershell-table", REFUSED },
        { "LocalAddress LocalPort State\n------------ --------- -----\n10.0.0.5          9100 Listen\n",
            "capture-powershell-table", REFUSED },
        { "LocalPort RemotePort State\n--------- ---------- -----\n     9100      50000 CloseWait\n",
            "capture-powershell-table", REFUSED },
        { "LocalAddress,LocalPort,RemoteAddress,State\n10.0.0.5,9100,10.1.2.3,CloseWait\n", "capture-powershell-csv",
            REFUSED },
        { "LocalAddress,RemoteAddress,State\n10.0.0.5,10.1.2.3,CloseWait\n", "capture-powershell-csv", REFUSED },
        /* Cells that a narrow table has cut are not completed by guessing. */
        { "LocalAddress  LocalPort RemoteAddress RemotePort State  OwningProcess\n"
          "------------  --------- ------------- ---------- -----  -------------\n"
          "10.0.0.5           9100 2a02:8108:8a…      50000 Bound           4312\n"
          "10.0.0.5           9100 2a02:8108:...      50000 Bound           4312\n"
          "10.0.0.5           9100 10.1.2.3           50000 Close…          4312\n"
          "10.0.0.5           9100 10.1.2.3           50000 Clo...          4312\n"
          "2a02:8108:8a…      9100 2a02:8108:8a…      50000 Close…          4312\n"
          "10.0.0.5           9100 10.1.2.3           50001 Bound           4312\n",
            "capture-powershell-table", "BOUND 10.0.0.5:9100 10.1.2.3:50001 by 4312/?\n" REFUSED },
    };
    CHECK(cases);
}

#define ADDRESSES "LocalAddress   : 10.0.0.5\nLocalPort      : 80\nRemoteAddress  : 10.1.2.3\nRemotePort     : "
#define STATE "\nState          : Bound\nOwningProcess  : 4312\n"

static void records_of_powershell_lists(void **state)
{
    (void)state;
    static const struct captured_case cases[] = {
        /* The text begins in the middle of a record, at an address or at a state. That record is not used. */
        { "RemoteAddress  : 10.9.9.9\nRemotePort     : 9\nState          : CloseWait\nOwningProcess  : 77\n\n" ADDRESSES
          "1" STATE "\n" ADDRESSES "2" STATE,
            "capture-powershell-list",
            "BOUND 10.0.0.5:80 10.1.2.3:1 by 4312/?\n"
            "BOUND 10.0.0.5:80 10.1.2.3:2 by 4312/?\n" NOT_UNDERSTOOD NUMBERS_ONLY NOTHING_ELSE },
        { "State          : CloseWait\nOwningProcess  : 77\n> \n" ADDRESSES "1" STATE "\n", "capture-powershell-list",
            "BOUND 10.0.0.5:80 10.1.2.3:1 by 4312/?\n" NOT_UNDERSTOOD NUMBERS_ONLY NOTHING_ELSE },
        /* A line is missing. */
        { ADDRESSES "1" STATE "\nLocalAddress : 10.0.0.5\nLocalPort : 81\nRemotePort : 2" STATE "\n" ADDRESSES
                    "3" STATE,
            "capture-powershell-list",
            "BOUND 10.0.0.5:80 10.1.2.3:1 by 4312/?\n"
            "BOUND 10.0.0.5:80 10.1.2.3:3 by 4312/?\n" NOT_UNDERSTOOD NUMBERS_ONLY NOTHING_ELSE },
        /* Another order is fine if blank lines end the records. */
        { "State : Bound\n" ADDRESSES "1\n\nState : Closed\n" ADDRESSES "2\n\n", "capture-powershell-list",
            "BOUND 10.0.0.5:80 10.1.2.3:1\nCLOSED 10.0.0.5:80 10.1.2.3:2\n" NOTHING_ELSE },
        /* Without blank lines the first property begins a record. Missing lines damage only their records. */
        { ADDRESSES "1" STATE ADDRESSES "2\nRemoteAddress : 10.1.2.9\nRemotePort : 3" STATE ADDRESSES "4" STATE,
            "capture-powershell-list",
            "BOUND 10.0.0.5:80 10.1.2.3:1 by 4312/?\n"
            "BOUND 10.0.0.5:80 10.1.2.3:4 by 4312/?\n" NOT_UNDERSTOOD NUMBERS_ONLY NOTHING_ELSE },
        /* It begins in the middle and has no blank lines: any of these records could be parts of two. */
        { "RemoteAddress : 10.9.9.9\nRemotePort : 9\nState : CloseWait\n" ADDRESSES "1" STATE ADDRESSES "2" STATE
          "LocalAddress : 10.0.0.5\nLocalPort : 81\n\n" ADDRESSES "3" STATE,
            "capture-powershell-list", "BOUND 10.0.0.5:80 10.1.2.3:3 by 4312/?\n" REFUSED },
        /* Lists of other things are not read. */
        { ADDRESSES "1" STATE "\nId : 4312\nProcessName : java\n\nName : spooler\nState : Running\nProcessId : 7\n\n"
                    "LocalAddress : 0.0.0.0\nLocalPort : 123\nOwningProcess : 7\n",
            "capture-powershell-list", "BOUND 10.0.0.5:80 10.1.2.3:1 by 4312/?\n" NUMBERS_ONLY NOTHING_ELSE },
    };
    CHECK(cases);
}

#define OBJECT(port)                                                                                                   \
    "{\"LocalAddress\":\"10.0.0.5\",\"LocalPort\":80,\"RemoteAddress\":\"10.1.2.3\",\"RemotePort\":" #port             \
    ",\"State\":8}"

static void wrapped_powershell_json(void **state)
{
    (void)state;
#define TWO "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:1\nCLOSE_WAIT 10.0.0.5:80 10.1.2.3:2\n" NOTHING_ELSE
    static const struct captured_case cases[] = {
        { "{\"value\":[" OBJECT(1) "," OBJECT(2) "],\"Count\":2}", "capture-powershell-json", TWO },
        { "{\"Count\":2,\"value\":[" OBJECT(1) "," OBJECT(2) "]}", "capture-powershell-json", TWO },
        { "{\"value\":" OBJECT(1) "}" OBJECT(2), "capture-powershell-json", TWO },
        { "[{\"value\":[" OBJECT(1) "],\"Count\":1}," OBJECT(2) "]", "capture-powershell-json", TWO },
        { "{\"value\":3}" OBJECT(1), "capture-powershell-json",
            "CLOSE_WAIT 10.0.0.5:80 10.1.2.3:1\n" NOT_UNDERSTOOD NOTHING_ELSE },
    };
    CHECK(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powershell),
        cmocka_unit_test(creation_times),
        cmocka_unit_test(cells_of_powershell_tables),
        cmocka_unit_test(rows_of_powershell_without_headings),
        cmocka_unit_test(columns_that_powershell_was_not_asked_for),
        cmocka_unit_test(records_of_powershell_lists),
        cmocka_unit_test(wrapped_powershell_json),
    };
    return cmocka_run_group_tests_name("capture_powershell", tests, NULL, NULL);
}
