// Spring Boot with Spring Security, as its guides have it: its own page for the login, a form with a token, an upload, and events.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Example } from '../helpers/example.js'

const run = promisify(execFile)
const example = new Example('shop')

const dependency = (name: string) =>
  `<dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-${name}</artifactId></dependency>`
/** start.spring.io is no registry: this is what it writes. */
const pom = `<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent>
    <groupId>org.springframework.boot</groupId>
    <artifactId>spring-boot-starter-parent</artifactId>
    <version>4.0.7</version>
    <relativePath/>
  </parent>
  <groupId>shop</groupId>
  <artifactId>shop</artifactId>
  <version>1</version>
  <properties><java.version>17</java.version></properties>
  <dependencies>${['webmvc', 'security'].map(dependency).join('')}</dependencies>
  <build><plugins><plugin>
    <groupId>org.springframework.boot</groupId><artifactId>spring-boot-maven-plugin</artifactId>
  </plugin></plugins></build>
</project>
`
const shop = `package shop;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.http.MediaType;
import org.springframework.security.web.csrf.CsrfToken;
import org.springframework.web.bind.annotation.*;
import org.springframework.web.multipart.MultipartFile;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

@SpringBootApplication
@RestController
public class Shop {
  public static void main(String[] arguments) {
    SpringApplication.run(Shop.class, arguments);
  }

  @GetMapping(value = "/", produces = MediaType.TEXT_HTML_VALUE)
  String page(HttpServletRequest request, CsrfToken token) {
    return "<h1>" + request.getRequestURL() + "</h1><form method=post action=/upload enctype=multipart/form-data>"
        + "<input type=hidden name=_csrf value=" + token.getToken() + ">"
        + "<input type=file name=file><button>Send</button></form><p id=news></p>"
        + "<script>new EventSource('/events').onmessage = ({data}) => { news.textContent = data }</script>";
  }

  @PostMapping("/upload")
  String upload(@RequestParam("file") MultipartFile file) throws IOException {
    return file.getOriginalFilename() + " has " + file.getBytes().length + " bytes";
  }

  @GetMapping("/events")
  SseEmitter events() {
    SseEmitter emitter = new SseEmitter(60_000L);
    CompletableFuture.runAsync(() -> {
      try {
        emitter.send(SseEmitter.event().data("first event"));
      } catch (IOException ignored) {
      }
    });
    return emitter;
  }
}
`

beforeAll(async () => {
  const project = example.directory({ 'pom.xml': pom })
  example.sandbox.directory('shop/src/main/java/shop', { 'Shop.java': shop })
  example.sandbox.directory('shop/src/main/resources', {
    'application.properties': 'spring.security.user.name=ann\nspring.security.user.password=secret\n',
  })
  // Here, where what Maven fetches is kept; in a container it would be fetched each time.
  await run('mvn', ['-q', '-B', '-DskipTests', 'package'], { cwd: project, timeout: 240_000 })
  await example.sandbox.json(['init', project])
})
afterAll(() => example.cleanUp())

describe('Spring Boot', () => {
  it('takes a login, forms and uploads, and sends events, at both hosts, with no setting', async () => {
    const { notes } = await example.start(['java', '-jar', 'target/shop-1.jar'])
    expect(notes).toBeUndefined()
    for (const origin of example.origins) {
      const { page } = await example.open(`${origin}/`)
      await page.waitForURL(`${origin}/login`)
      await page.fill('#username', 'ann')
      await page.fill('#password', 'secret')
      await page.getByRole('button').click()
      await page.waitForURL((url) => url.origin === origin && url.pathname === '/')
      expect(await page.textContent('h1')).toBe(`${origin}/`)
      await page.getByText('first event').waitFor()
      // Below what Spring takes by default, 1 MiB.
      await page.setInputFiles('input[type=file]', {
        buffer: Buffer.alloc(900_000, 'x'),
        mimeType: 'text/plain',
        name: 'large.txt',
      })
      await page.getByRole('button', { name: 'Send' }).click()
      await page.getByText('large.txt has 900000 bytes').waitFor()
      await page.close()
    }
  })
})
