/** Publishes notifications to Amazon's SNS: a topic, a telephone, or an endpoint. */
import { sigv4Headers } from "../../http/index.ts";
import type { SnsConfig } from "../config/sns.ts";
import { NotifyError } from "../notify/notifier.ts";
import type { Deliver, Delivery } from "./delivery.ts";

const apiVersion = "2010-03-31";
const messageBytesMax = 256 * 1024;
const shortMessageBytesMax = 1600;

/** Credentials that the configuration does not give are taken from `environment`, under AWS' names. */
export function deliverToSns(config: SnsConfig, environment: NodeJS.ProcessEnv = process.env): Deliver {
  return async (delivery) => {
    const region = config.sigv4.region || environment["AWS_REGION"] || environment["AWS_DEFAULT_REGION"];
    if (!region) throw new NotifyError("region not configured in sns.sigv4.region", false);
    const url = new URL(delivery.text(config.apiUrl) || `https://sns.${region}.amazonaws.com/`);
    const form = publication(config, delivery);
    const contentType = "application/x-www-form-urlencoded";
    const request = { method: "POST", url, contentType, body: form.toString() };
    const credentials = sigv4Headers(
      request,
      awsCredentials(config, environment),
      region,
      "sns",
      delivery.nowMs(),
    );
    await delivery.send({ url: url.href, form, credentials, refusal: readRefusal });
  };
}

function awsCredentials({ sigv4 }: SnsConfig, environment: NodeJS.ProcessEnv) {
  if (sigv4.profile !== "" || sigv4.roleArn !== "") {
    throw new NotifyError(
      "sigv4 with profile or role_arn is not supported: give access_key and secret_key",
      false,
    );
  }
  if (sigv4.accessKey !== "")
    return { accessKey: sigv4.accessKey, secretKey: sigv4.secretKey.reveal(), sessionToken: "" };
  const accessKey = environment["AWS_ACCESS_KEY_ID"];
  const secretKey = environment["AWS_SECRET_ACCESS_KEY"];
  if (!accessKey || !secretKey)
    throw new NotifyError("no AWS credentials: give access_key and secret_key", false);
  return { accessKey, secretKey, sessionToken: environment["AWS_SESSION_TOKEN"] ?? "" };
}

function publication(config: SnsConfig, delivery: Delivery): URLSearchParams {
  const { text, groupHash } = delivery;
  const form = new URLSearchParams({ Action: "Publish", Version: apiVersion });
  const topic = text(config.topicArn);
  if (config.topicArn !== "") form.set("TopicArn", topic);
  if (config.phoneNumber !== "") form.set("PhoneNumber", text(config.phoneNumber));
  if (config.targetArn !== "") form.set("TargetArn", text(config.targetArn));
  if (topic.endsWith(".fifo")) {
    form.set("MessageDeduplicationId", groupHash);
    form.set("MessageGroupId", groupHash);
  }
  const message = Buffer.from(text(config.message));
  const bytesMax = config.phoneNumber === "" ? messageBytesMax : shortMessageBytesMax;
  form.set("Message", message.toString("utf8", 0, bytesMax));
  if (config.subject !== "") form.set("Subject", text(config.subject));
  const attributes = [...config.attributes].map(([name, value]) => [text(name), text(value)] as const);
  if (message.length > bytesMax) attributes.push(["truncated", "true"]);
  attributes.forEach(([name, value], i) => {
    const entry = `MessageAttributes.entry.${i + 1}`;
    form.set(`${entry}.Name`, name);
    form.set(`${entry}.Value.DataType`, "String");
    form.set(`${entry}.Value.StringValue`, value);
  });
  return form;
}

/** The message inside the XML. */
function readRefusal(body: string): string {
  const [start, end] = [body.indexOf("<Message>"), body.indexOf("</Message>")];
  return start < 0 || end < start ? body : body.slice(start + "<Message>".length, end);
}
