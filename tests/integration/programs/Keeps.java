import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** A server that keeps what it has accepted and never reads: a reset by the peer goes unnoticed. Prints its port. */
public class Keeps {
    public static void main(String[] arguments) throws Exception {
        List<Socket> kept = new ArrayList<>();
        try (ServerSocket listener = new ServerSocket(0, 512)) {
            System.out.println(listener.getLocalPort());
            while (true)
                kept.add(listener.accept());
        }
    }
}
