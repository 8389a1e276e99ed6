import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.net.InetSocketAddress;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.iceberg.CatalogUtil;
import org.apache.iceberg.rest.RESTCatalogAdapter;
import org.apache.iceberg.rest.RESTCatalogServlet;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.servlet.FilterHolder;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;

/**
 * Serves the reference implementation of Iceberg's REST catalog on a port of the loopback interface, to those who have
 * the token. Its own main class listens on every interface, and asks nobody.
 *
 * <p>The environment says TOKEN, and in PROPERTIES a line `name=value` for each property of the catalog behind it.
 */
public final class IcebergRestServer {
    private static final String REFUSED =
            "{\"error\": {\"message\": \"Not authorized\", \"type\": \"NotAuthorizedException\", \"code\": 401}}";

    public static void main(String[] arguments) throws Exception {
        Map<String, String> properties = new HashMap<>();
        System.getenv("PROPERTIES").lines().map(line -> line.split("=", 2)).forEach(each -> properties.put(each[0], each[1]));
        var catalog = CatalogUtil.buildIcebergCatalog("tests", properties, new Configuration());
        var handler = new ServletContextHandler();
        handler.addServlet(new ServletHolder(new RESTCatalogServlet(new RESTCatalogAdapter(catalog))), "/*");
        var asking = new FilterHolder(onlyWith("Bearer " + System.getenv("TOKEN")));
        handler.addFilter(asking, "/*", EnumSet.of(DispatcherType.REQUEST));
        var server = new Server(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])));
        server.setHandler(handler);
        server.start();
        server.join();
    }

    private static Filter onlyWith(String authorization) {
        return (request, response, chain) -> {
            if (authorization.equals(((HttpServletRequest) request).getHeader("Authorization"))) {
                chain.doFilter(request, response);
            } else {
                var answer = (HttpServletResponse) response;
                answer.setStatus(HttpServletResponse.SC_UNAUTHORIZED);
                answer.setContentType("application/json");
                answer.getWriter().write(REFUSED);
            }
        };
    }
}
