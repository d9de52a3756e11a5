import java.net.InetAddress;
import java.net.ServerSocket;

/** java Hangs.java PORT BACKLOG: the thread that should accept connections sleeps. */
class Hangs {
    public static void main(String[] arguments) throws Exception {
        try (var server = new ServerSocket(
                 Integer.parseInt(arguments[0]), Integer.parseInt(arguments[1]), InetAddress.getByName("0.0.0.0"))) {
            Thread.sleep(3_600_000);
        }
    }
}
