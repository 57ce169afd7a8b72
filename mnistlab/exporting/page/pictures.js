// Pictures from elsewhere: dropped, pasted, opened, or taken with the camera.
"use strict";

// Pictures that are dropped, pasted or opened; transparent parts show the paper.
function acceptPictures({ canvas, place }) {
  const read = async (file) => {
    if (!file || !file.type.startsWith("image/")) return;
    try {
      place(await onWhite(await createImageBitmap(file)));
    } catch {
      warn(`${file.name || "The picture"} cannot be read as a picture.`);
    }
  };
  document.addEventListener("paste", (event) => read(event.clipboardData.files[0]));
  byId("file").addEventListener("change", (event) => read(event.target.files[0]));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    canvas.classList.add("over");
  });
  document.addEventListener("dragleave", () => canvas.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    canvas.classList.remove("over");
    read(event.dataTransfer.files[0]);
  });
}

async function onWhite(picture) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0);
  return canvas;
}


// Takes one picture when pressed for the second time. Browsers give no camera to some pages, such
// as those opened from a file in some of them: then one line says so.
function acceptCamera({ place }) {
  const [button, video] = [byId("camera"), byId("video")];
  if (!navigator.mediaDevices?.getUserMedia) return;
  button.hidden = false;
  const stop = () => {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    [video.srcObject, video.hidden, button.textContent] = [null, true, "Camera"];
  };
  const start = async () => {
    try {
      const wanted = { video: { facingMode: "environment" } };
      video.srcObject = await navigator.mediaDevices.getUserMedia(wanted);
      await video.play();
      [video.hidden, button.textContent] = [false, "Take the picture"];
      say("The camera is on. Press once more to take the picture.");
    } catch {
      stop();
      warn("The browser gives this page no camera. Open a picture instead.");
    }
  };
  button.addEventListener("click", async () => {
    if (!video.srcObject) return start();
    const side = Math.min(video.videoWidth, video.videoHeight); // its middle, as a square
    const canvas = made("canvas", { width: side, height: side });
    const [left, top] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
    canvas.getContext("2d").drawImage(video, left, top, side, side, 0, 0, side, side);
    stop();
    place(canvas);
  });
  document.addEventListener("visibilitychange", () => document.hidden && stop());
}
