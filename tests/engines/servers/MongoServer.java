import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;

/** Serves MongoDB's protocol on a port of the loopback interface, its data in memory. */
public final class MongoServer {
    public static void main(String[] arguments) {
        MongoBackend backend = new MemoryBackend().version(ServerVersion.MONGO_5_0);
        new de.bwaldvogel.mongo.MongoServer(backend).bind("127.0.0.1", Integer.parseInt(arguments[0]));
    }
}
